-- Codes that somebody said belong to no creator, such as those of the shop's own sales. Nobody is asked about them.
CREATE TABLE dismissed_codes (
    store_id BIGINT NOT NULL REFERENCES stores (id),
    folded TEXT NOT NULL,
    actor TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (store_id, folded)
);
