"""`tomoportal demo`: a portal to look at, made from nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo portal is made.")] = Path("demo-portal"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to serve on; 0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    serve: Annotated[bool, typer.Option(help="Serve the portal when it is ready.")] = True,
) -> None:
    """Simulate a deposition, ingest it, and serve the portal."""
    from tomoportal.cli.console import show_problems
    from tomoportal.cli.ingest import ingest_config, summary
    from tomoportal.cli.serve import free_port, run_server
    from tomoportal.demo import write_demo, written_demo
    from tomoportal.problems import has_errors
    from tomoportal.settings import Settings

    settings = Settings.from_environment(
        storage=str(folder / "files"), database=f"sqlite:///{folder / 'catalog.sqlite'}"
    )
    port = free_port(host, port) if serve else port
    files = written_demo(folder / "demo")
    if files is None:
        typer.echo("Simulating cells, tilt series and tomograms …", err=True)
        files = write_demo(folder / "demo", progress=lambda line: typer.echo(f"  {line}", err=True))
    failed = False
    for config in files.configs:
        typer.echo(f"Ingesting {config.name} …", err=True)
        report = ingest_config(config, str(files.source), settings)
        show_problems(report.sorted_problems())
        typer.echo(f"  {summary(report)}", err=True)
        failed = failed or has_errors(report.problems)
    if failed:
        raise typer.Exit(1)
    if serve:
        run_server(settings.with_site(), host=host, port=port)
