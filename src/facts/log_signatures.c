/*
 * Needles are the part of a message that no release varies. Sources: facts/openclaw-2026.2.md sections 2, 3, 6, 12; openclaw-2026.9.md
 * sections 3.1, 3.4; failure-modes.md; lines of real gateways of 2026.2.19 and 2026.9.6 (tests/real/scenario_evidence.py).
 */
#include "api/log.h"

#include "base/cleanup.h"

#define ALL "2026.2 and later"
#define OLD "before 2026.8.1"
#define NEW "2026.8.1 and later"

const struct dr_log_signature dr_log_signatures[] = {
    { "proxy-untrusted", "Proxy headers detected from untrusted address", "docker-trusted-proxies", OLD },
    { "proxy-attribution", "observed unattributable proxy-shaped traffic from ", "proxy-attribution", NEW },
    { "attribution-required", "gateway ingress attribution required", "proxy-attribution", NEW },
    { "host-not-local", "Loopback connection with non-local Host header", "proxy-attribution", ALL },
    { "closed-before-connect", "closed before connect conn=", NULL, ALL },
    { "origin-refused", "origin not allowed", "docker-origins", ALL },
    { "origins-missing", "non-loopback Control UI requires gateway.controlUi.allowedOrigins", "docker-origins",
      "2026.2.23 and later" },
    { "bind-without-auth", "efusing to bind gateway to ", "docker-bind", ALL },
    { "auth-none", "auth mode=none explicitly configured", "gateway-exposure", ALL },
    { "paired-unasked", "device pairing auto-approved", "gateway-exposure", ALL },
    { "pairing-required", "pairing required", "identity-pairing", ALL },
    { "upgrade-requested", "device access upgrade requested", "identity-pairing", ALL },
    { "scope-missing", "missing scope: operator.", "identity-pairing", ALL },
    { "token-missing", "gateway token missing", "token-mismatch", ALL },
    { "token-mismatch", "gateway token mismatch", "token-mismatch", ALL },
    { "token-not-configured", "gateway token not configured", "token-mismatch", ALL },
    { "password-mismatch", "gateway password mismatch", "token-mismatch", ALL },
    { "device-token-mismatch", "device token mismatch", "token-mismatch", ALL },
    { "rate-limited", "too many failed authentication attempts", "token-mismatch", ALL },
    { "token-generated", "auth token was missing. Generated a new token", "token-hygiene", "2026.2" },
    { "signature-expired", "device signature expired", "clock-skew", ALL },
    { "signature-invalid", "device signature invalid", "identity-key", ALL },
    { "identity-mismatch", "device identity mismatch", "identity-key", ALL },
    { "identity-required", "device identity required", NULL, ALL },
    { "nonce-required", "device nonce required", NULL, ALL },
    { "insecure-context", "control ui requires ", NULL, ALL },
    { "protocol-mismatch", "protocol mismatch", NULL, ALL },
    { "handshake-timeout", "handshake timeout conn=", "gateway-reachable", ALL },
    { "port-taken", "listen EADDRINUSE", "gateway-port", ALL },
    { "already-listening", "already listening on", "gateway-port", ALL },
    { "config-invalid", "Invalid config at ", NULL, ALL },
    { "config-key-unknown", "Unrecognized key", NULL, ALL },
    { "config-restored", "Config auto-restored from", NULL, NEW },
    { "permission-denied", "EACCES: permission denied", "files-ownership", ALL },
    { "disk-full", "database or disk is full", NULL, ALL },
    { "no-space", "ENOSPC: no space left", NULL, ALL },
    { "store-replaced", "SQLite database file identity changed", "pairing-store", NEW },
    { "store-lock-wait", "slow SQLite transaction lock wait", NULL, NEW },
    { "pairing-pruned", "pruned superseded silent pairing", "identity-pairing", NEW },
    { "restart-loop", "restart-loop breaker tripped", "service-unit", NEW },
    { "http-proxy", "routing process HTTP traffic through external proxy", "service-unit", NEW },
};

const size_t dr_log_signature_count = DR_COUNT(dr_log_signatures);
