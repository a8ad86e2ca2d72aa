#include "check.h"

#define CHANGES_A_PROXY \
    "it changes the configuration of another server and reloads it; connections through it may be cut once"

static const struct dr_cause after_version[] = { { "proxy-websocket/http-version", DR_SAME_SUBJECT },
                                                 { "proxy-websocket/upgrade-dropped", DR_SAME_SUBJECT },
                                                 { NULL, DR_SAME_SUBJECT } };

const struct dr_problem dr_proxy_websocket_problems[DR_PROXY_PROBLEMS] = {
    [DR_PROXY_UPGRADE_DROPPED] = {
        .code = "upgrade-dropped",
        .severity = DR_ERROR,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "{proxy} does not hand WebSocket upgrades on to the gateway at {upstream}: {why}. The page loads, then nothing "
                   "connects (close 1006, \"Unexpected server response: 200\").",
        .advice = "Pass Upgrade and Connection on with HTTP/1.1, and reload {proxy}.",
        .fixer = "proxy-route-mend",
        .why = CHANGES_A_PROXY,
    },
    [DR_PROXY_HTTP_VERSION] = {
        .code = "http-version",
        .severity = DR_ERROR,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "{proxy} speaks {version} to the gateway at {upstream}, and a WebSocket begins as HTTP/1.1: {why}.",
        .advice = "Let {proxy} speak HTTP/1.1 to the gateway, and reload it.",
        .fixer = "proxy-route-mend",
        .why = CHANGES_A_PROXY,
    },
    [DR_PROXY_NOT_FORWARDED] = {
        .code = "not-forwarded",
        .severity = DR_ERROR,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "{proxy} does not tell the gateway whom it speaks for: {why}.",
        .advice = "Send X-Forwarded-For with the client's address, and list the proxy in gateway.trustedProxies.",
        .fixer = "proxy-route-mend",
        .why = CHANGES_A_PROXY,
    },
    [DR_PROXY_SPOOFABLE] = {
        .code = "forwarded-spoofable",
        .severity = DR_ERROR,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "A client can put an address of its choice into what {proxy} forwards, and this release of the gateway believes it: "
                   "{why}.",
        .advice = "Replace what the client sent instead of adding to it.",
        .fixer = "proxy-route-mend",
        .why = CHANGES_A_PROXY,
    },
    [DR_PROXY_IDLE_TIMEOUT] = {
        .code = "idle-timeout",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "{proxy} cuts a connection that is silent for {timeout}; the gateway sends something every 30 seconds only, so "
                   "clients are thrown out again and again.",
        .advice = "Let silent connections live for an hour.",
        .fixer = "proxy-route-mend",
        .why = CHANGES_A_PROXY,
    },
    [DR_PROXY_UPSTREAM_LOCALHOST] = {
        .code = "upstream-localhost",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "{proxy} calls the gateway \"{host}\", which is 127.0.0.1 at one time and ::1 at another: {why}.",
        .advice = "Write 127.0.0.1 there.",
        .fixer = "proxy-route-mend",
        .why = CHANGES_A_PROXY,
    },
    [DR_PROXY_UPSTREAM_UNREACHABLE] = {
        .code = "upstream-unreachable",
        .severity = DR_ERROR,
        .confidence = DR_LIKELY,
        .message = "{proxy} does not reach the gateway at {upstream}: {why}. Direct, the gateway answers.",
        .advice = "Compare the upstream's address and port with what the gateway listens on, and see the error log of {proxy}.",
        .follows = after_version,
    },
    [DR_PROXY_FAILS_LIVE] = {
        .code = "fails-live",
        .severity = DR_ERROR,
        .confidence = DR_CERTAIN,
        .message = "A WebSocket does not come through {proxy}, though its configuration reads as if it should: {why}. Direct, the "
                   "gateway answers.",
        .advice = "Was {proxy} reloaded after the last change of its configuration? Its error log says more.",
        .follows = after_version,
    },
    [DR_PROXY_DOWN] = {
        .code = "proxy-down",
        .severity = DR_WARNING,
        .confidence = DR_LIKELY,
        .message = "{proxy} is configured to hand requests to the gateway, and nothing listens where it should: {why}.",
        .advice = "Start {proxy}, or see why it does not start.",
    },
    [DR_PROXY_HOST_REPLACED] = {
        .code = "host-replaced",
        .severity = DR_INFO,
        .confidence = DR_LIKELY,
        .safety = DR_UNSAFE,
        .message = "{proxy} replaces the Host header, so the gateway cannot see under which name a browser came, and compares the page's "
                   "origin with its list only.",
        .advice = "Pass Host on as the client sent it.",
        .fixer = "proxy-route-mend",
        .why = CHANGES_A_PROXY,
    },
    [DR_PROXY_PATH_PREFIX] = {
        .code = "path-prefix",
        .severity = DR_WARNING,
        .confidence = DR_POSSIBLE,
        .message = "{proxy} hands only what is below {path} to the gateway: {why}.",
        .advice = "Set gateway.controlUi.basePath to the path, or give the gateway a host name of its own.",
    },
    [DR_PROXY_BUFFERS] = {
        .code = "buffers",
        .severity = DR_INFO,
        .confidence = DR_LIKELY,
        .message = "{proxy} holds answers back until a buffer is full. WebSockets are not concerned; streamed HTTP answers come late.",
        .advice = "Switch buffering off for this route if you use the HTTP API with streaming.",
    },
    [DR_PROXY_CONFIG_FAULT] = {
        .code = "config-fault",
        .severity = DR_WARNING,
        .confidence = DR_CERTAIN,
        .message = "The configuration of {proxy} cannot be understood here: {why}.",
        .advice = "Let the server itself test it: {test}",
    },
};
