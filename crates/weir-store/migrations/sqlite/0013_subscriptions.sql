-- Until when a cluster is paid for by subscription; NULL when that has no end.
ALTER TABLE clusters ADD COLUMN paid_until INTEGER;
