-- An order needs to be read again exactly when there are doubts about it: the doubts say so themselves.
DROP INDEX orders_doubtful;
DROP INDEX orders_reread;
ALTER TABLE orders DROP COLUMN needs_reread;
CREATE INDEX orders_doubtful ON orders (placed_at, id) WHERE doubts <> '';
