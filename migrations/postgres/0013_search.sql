-- Searches as somebody types: what begins with a text is found by an index, whatever language the database sorts by.
CREATE INDEX orders_number ON orders ((LTRIM(LOWER(number), '#') COLLATE "C"), id);
CREATE INDEX creators_name ON creators ((LOWER(name) COLLATE "C"), id);
CREATE INDEX creators_email ON creators ((LOWER(email) COLLATE "C"), id);
CREATE INDEX creator_handles_prefix ON creator_handles ((folded COLLATE "C"));
CREATE INDEX codes_prefix ON codes ((folded COLLATE "C"), id);
CREATE INDEX links_prefix ON links ((slug COLLATE "C"), id);
