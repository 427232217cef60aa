-- Global variables of projects, which job texts name as {{name}}.

CREATE TABLE variables (
    project_id TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    -- Encrypted, bound to project and name; the key is not in this file.
    sealed     TEXT    NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, name)
) STRICT, WITHOUT ROWID;
