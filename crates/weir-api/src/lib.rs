//! HTTP: routes, wire types, OpenAPI, error rendering.
