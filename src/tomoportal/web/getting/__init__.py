"""Everything that visitors take away: citations, files and the commands for them, descriptions for machines, feeds."""
