-- Searches as somebody types: what begins with a text is found by an index.
CREATE INDEX orders_number ON orders (LTRIM(LOWER(number), '#'), id);
CREATE INDEX creators_name ON creators (LOWER(name), id);
CREATE INDEX creators_email ON creators (LOWER(email), id);
CREATE INDEX creator_handles_prefix ON creator_handles (folded);
CREATE INDEX codes_prefix ON codes (folded, id);
