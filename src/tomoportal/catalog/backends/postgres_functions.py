"""What statements need that PostgreSQL lacks."""

from __future__ import annotations

UNQUOTED = """
CREATE OR REPLACE FUNCTION unquoted(address text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN (
    SELECT convert_from(string_agg(
      CASE WHEN part[1] ~ '^%[0-9A-Fa-f]{2}$' THEN decode(substr(part[1], 2), 'hex') ELSE convert_to(part[1], 'UTF8') END,
      ''::bytea), 'UTF8')
    FROM regexp_matches(address, '%[0-9A-Fa-f]{2}|[^%]+|%', 'g') AS part);
END $$
"""
"""An address with its percent signs resolved. Fails when that gives no UTF-8."""

WITHOUT_LAYERS = r"""
CREATE OR REPLACE FUNCTION without_layers(state text, folders text) RETURNS text LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
  places text[];
  layer json;
  item json;
  address text;
  hidden boolean;
  kept text[] := '{}';
BEGIN
  SELECT array_agg(place) INTO places FROM unnest(string_to_array(folders, chr(10))) AS folder,
    LATERAL (VALUES (folder || '/'),
      (CASE WHEN folder ~ '/Annotations/\d+$' THEN regexp_replace(folder, '/Annotations/0*(\d+)$', '/NeuroglancerPrecompute/\1-') END)
    ) AS named (place) WHERE place IS NOT NULL;
  FOR layer IN SELECT json_array_elements(state::json -> 'layers') LOOP
    hidden := false;
    FOR item IN SELECT json_array_elements(CASE json_typeof(layer -> 'source')
        WHEN 'array' THEN layer -> 'source' ELSE json_build_array(layer -> 'source') END) LOOP
      address := CASE json_typeof(item) WHEN 'object' THEN item ->> 'url' ELSE item #>> '{}' END;
      IF address IS NULL OR json_typeof(layer) <> 'object' THEN
        RETURN NULL;
      END IF;
      hidden := hidden OR EXISTS (SELECT 1 FROM unnest(places) AS place WHERE position(place IN unquoted(address)) > 0);
    END LOOP;
    IF NOT hidden THEN
      kept := kept || layer::text;
    END IF;
  END LOOP;
  RETURN (
    SELECT '{' || string_agg(to_json(key)::text || ': ' ||
      CASE key WHEN 'layers' THEN '[' || array_to_string(kept, ', ') || ']' ELSE value::text END, ', ') || '}'
    FROM json_each(state::json) WHERE json_typeof(state::json -> 'layers') = 'array');
EXCEPTION WHEN others THEN
  RETURN NULL;
END $$
"""
"""`compile.layers.without_layers`, with the same meaning: a state of which nothing can be known is NULL."""

FUNCTIONS = tuple(text.replace("%", "%%") for text in (UNQUOTED, WITHOUT_LAYERS))
"""In the order in which they are made; percent signs are doubled for the driver."""
