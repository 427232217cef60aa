-- Topics, their subscriptions, templates, and the messages on their way.

CREATE TABLE topics (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    display_name TEXT NOT NULL,
    introduction TEXT NOT NULL,
    enterprise_project_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE subscriptions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    topic_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    protocol TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    remark TEXT NOT NULL,
    headers TEXT NOT NULL,
    status BIGINT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    token_expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (topic_id, protocol, endpoint)
);
CREATE INDEX subscriptions_project ON subscriptions (project_id, number);

CREATE TABLE message_templates (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    protocol TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (project_id, name, protocol)
);

CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL,
    topic_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    texts TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- One row for each subscriber of a message. Protocol and endpoint are those of the time it was taken: the log outlives subscriptions.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    topic_id TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    protocol TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    -- When it is tried next, or when it ended.
    at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (at) WHERE state = 'pending';
CREATE INDEX deliveries_subscription ON deliveries (subscription_id, state);
CREATE INDEX deliveries_topic ON deliveries (topic_id, id);
CREATE INDEX deliveries_message ON deliveries (message_id);
CREATE INDEX deliveries_endpoint ON deliveries (endpoint, created_at) WHERE kind = 'SubscriptionConfirmation';

-- Messages about jobs that are to be published: written with the fact that they tell of, gone when they are published.
CREATE TABLE job_alarms (
    id TEXT PRIMARY KEY,
    project_id TEXT NOT NULL,
    job_id BIGINT NOT NULL,
    topic TEXT NOT NULL,
    body TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL
);
