#include "check.h"

static const struct dr_cause port_is_held[] = { { .code = "gateway-port/held-by-another", .relation = DR_ANY_SUBJECT },
                                                { .code = "gateway-port/nothing-behind", .relation = DR_ANY_SUBJECT },
                                                { .code = NULL } };

static const struct dr_cause runs_elsewhere[] = { { .code = "gateway-port/runs-elsewhere", .relation = DR_ANY_SUBJECT },
                                                  { .code = "gateway-port/held-by-another", .relation = DR_ANY_SUBJECT },
                                                  { .code = NULL } };

const struct dr_problem dr_gateway_reachable_problems[DR_REACHABLE_PROBLEMS] = {
    [DR_REACHABLE_STOPPED] = { .code = "stopped",
                               .severity = DR_INFO,
                               .confidence = DR_CERTAIN,
                               .message = "No gateway runs for this home, and nobody listens on port {port}.",
                               .advice = "When it should run: openclaw gateway run, or openclaw gateway start where it is "
                                         "installed as a service",
                               .follows = runs_elsewhere },
    [DR_REACHABLE_DIED] = { .code = "died",
                            .severity = DR_INFO,
                            .confidence = DR_LIKELY,
                            .message =
                                "No gateway runs, and the last one did not end by itself: its lock is still there ({lock}).",
                            .advice = "Start it again (the lock is no hindrance) and read why it ended: openclaw logs" },
    [DR_REACHABLE_STARTING_UP] = { .code = "starting-up",
                                   .severity = DR_INFO,
                                   .confidence = DR_LIKELY,
                                   .message = "{who} (pid {pid}) was started {age} seconds ago; on port {port} {state}.",
                                   .advice = "Wait half a minute, then look again; if it stays so: openclaw logs" },
    [DR_REACHABLE_NOT_LISTENING] = { .code = "not-listening",
                                     .severity = DR_ERROR,
                                     .confidence = DR_LIKELY,
                                     .message =
                                         "A gateway runs ({how}), and nobody listens on port {port}: clients are refused.",
                                     .advice = "Restart it and read what it says: openclaw gateway restart; openclaw logs",
                                     .follows = runs_elsewhere },
    [DR_REACHABLE_HUNG] = { .code = "hung",
                            .severity = DR_ERROR,
                            .confidence = DR_LIKELY,
                            .message = "{holder} accepts connections on port {port} and answers none of them.",
                            .advice =
                                "Restart the gateway: openclaw gateway restart (openclaw logs says what it was doing)" },
    [DR_REACHABLE_FROZEN] = { .code = "frozen",
                              .severity = DR_ERROR,
                              .confidence = DR_CERTAIN,
                              .message = "{holder} was stopped by a signal and stands still: connections to port {port} get "
                                         "no answer.",
                              .advice = "Let it go on: kill -CONT {pid}" },
    [DR_REACHABLE_DROPPED] = { .code = "dropped",
                               .severity = DR_ERROR,
                               .confidence = DR_LIKELY,
                               .message =
                                   "{holder} listens on port {port}, and connections to {url} do not come about: a packet "
                                   "filter on this host drops or refuses them.",
                               .advice = "See what it filters, and let port {port} through: nft list ruleset; iptables -S" },
    [DR_REACHABLE_CUTS] = { .code = "cuts-connections",
                            .severity = DR_ERROR,
                            .confidence = DR_LIKELY,
                            .message = "{holder} accepts connections on port {port} and cuts them without an answer.",
                            .advice = "Read why, and restart the gateway: openclaw logs; openclaw gateway restart" },
    [DR_REACHABLE_ANOTHER] = { .code = "another-program",
                               .severity = DR_ERROR,
                               .confidence = DR_LIKELY,
                               .message = "What answers at {url} is no OpenClaw gateway ({holder}): {what}.",
                               .advice = "Stop that program, or give the gateway another port: openclaw config set "
                                         "gateway.port NUMBER",
                               .follows = port_is_held },
    [DR_REACHABLE_NOT_READY] = { .code = "not-ready",
                                 .severity = DR_WARNING,
                                 .confidence = DR_CERTAIN,
                                 .message = "The gateway at {url} answers and calls itself not ready: {what}.",
                                 .advice = "{next}" },
    [DR_REACHABLE_TLS] = { .code = "speaks-tls",
                           .severity = DR_ERROR,
                           .confidence = DR_LIKELY,
                           .message = "Port {port} speaks TLS, and the configuration says that the gateway does not "
                                      "(gateway.tls.enabled): clients of this home ask with ws:// and fail.",
                           .advice = "Restart the gateway: openclaw gateway restart; or openclaw config set "
                                     "gateway.tls.enabled true, if it is "
                                     "meant to speak TLS" },
    [DR_REACHABLE_NO_TLS] = { .code = "speaks-no-tls",
                              .severity = DR_ERROR,
                              .confidence = DR_LIKELY,
                              .message =
                                  "gateway.tls.enabled is set, and port {port} speaks no TLS: clients of this home ask with "
                                  "wss:// and fail.",
                              .advice = "Restart the gateway so that it takes the setting: openclaw gateway restart" },
    [DR_REACHABLE_NOT_EVERYWHERE] = { .code = "not-everywhere",
                                      .severity = DR_WARNING,
                                      .confidence = DR_LIKELY,
                                      .message =
                                          "{expected}, and the gateway answers at {direct} but not at {url} ({what}).",
                                      .advice = "{next}" },
    [DR_REACHABLE_URL_INVALID] = { .code = "url-invalid",
                                   .severity = DR_ERROR,
                                   .confidence = DR_CERTAIN,
                                   .message = "{from} is no URL of a gateway: {what}.",
                                   .advice = "Write it as ws://HOST:PORT or wss://HOST" },
    [DR_REACHABLE_URL_BIND] = { .code = "url-bind",
                                .severity = DR_ERROR,
                                .confidence = DR_CERTAIN,
                                .message = "{from} leads to {url}, an address of this host; the gateway listens at "
                                           "{listens} and is not "
                                           "reached there.",
                                .advice = "{next}" },
    [DR_REACHABLE_URL_REFUSED] = { .code = "url-refused",
                                   .severity = DR_ERROR,
                                   .confidence = DR_CERTAIN,
                                   .message = "{from} leads to {url}, which refuses connections: nobody listens there.",
                                   .advice = "Start the gateway there, or correct host and port of {from}" },
    [DR_REACHABLE_URL_SILENT] = { .code = "url-silent",
                                  .severity = DR_ERROR,
                                  .confidence = DR_CERTAIN,
                                  .message = "{from} leads to {url}, which gives no answer: {what}.",
                                  .advice = "See that the host is up and no firewall drops the port; --probe-timeout waits "
                                            "longer" },
    [DR_REACHABLE_URL_NO_ROUTE] = { .code = "url-no-route",
                                    .severity = DR_ERROR,
                                    .confidence = DR_CERTAIN,
                                    .message = "{from} leads to {url}, and no way leads there from this host.",
                                    .advice =
                                        "Connect the network (VPN, Tailscale) that the gateway is in, or correct {from}" },
    [DR_REACHABLE_URL_NAME] = { .code = "url-name",
                                .severity = DR_ERROR,
                                .confidence = DR_CERTAIN,
                                .message = "{from} leads to {url}, whose name means nothing here: {what}.",
                                .advice = "Correct the name in {from}, or mend this host's name resolution" },
    [DR_REACHABLE_URL_CERTIFICATE] = { .code = "url-certificate",
                                       .severity = DR_ERROR,
                                       .confidence = DR_CERTAIN,
                                       .message = "{from} leads to {url}, whose certificate is not accepted: {what}.",
                                       .advice = "Renew or correct the certificate there, use the name that it is made out "
                                                 "to, or let "
                                                 "this host trust its issuer" },
    [DR_REACHABLE_URL_NEEDS_TLS] = { .code = "url-needs-tls",
                                     .severity = DR_ERROR,
                                     .confidence = DR_CERTAIN,
                                     .message = "{from} leads to {url} without TLS, and TLS is what is spoken there.",
                                     .advice = "{write}" },
    [DR_REACHABLE_URL_NO_TLS] = { .code = "url-no-tls",
                                  .severity = DR_ERROR,
                                  .confidence = DR_CERTAIN,
                                  .message = "{from} leads to {url} with TLS, and no TLS is spoken there: {what}.",
                                  .advice = "Put TLS before the gateway; or, inside a trusted network only: {write}" },
    [DR_REACHABLE_URL_REDIRECTS] = { .code = "url-redirects",
                                     .severity = DR_ERROR,
                                     .confidence = DR_CERTAIN,
                                     .message = "{from} leads to {url}, which sends clients elsewhere (HTTP {status}); "
                                                "WebSocket clients "
                                                "do not follow.",
                                     .advice =
                                         "Name the address that it leads to in {from}, mostly wss:// instead of ws://" },
    [DR_REACHABLE_URL_NO_UPGRADE] = { .code = "url-no-upgrade",
                                      .severity = DR_ERROR,
                                      .confidence = DR_CERTAIN,
                                      .message = "{from} leads to {url}, where the Control UI's page comes instead of a "
                                                 "WebSocket: a "
                                                 "proxy in between drops the headers Upgrade and Connection.",
                                      .advice = "Let the proxy pass both on, with HTTP/1.1: openclaw-doctor explain "
                                                "proxy-websocket" },
    [DR_REACHABLE_URL_REFUSES] = { .code = "url-refuses",
                                   .severity = DR_ERROR,
                                   .confidence = DR_CERTAIN,
                                   .message =
                                       "{from} leads to {url}, which refuses the connection with HTTP {status}: {what}.",
                                   .advice = "openclaw-doctor explain proxy_attribution_required, where that is what it "
                                             "says; else ask who "
                                             "runs the proxy" },
    [DR_REACHABLE_URL_NOTHING_BEHIND] = { .code = "url-nothing-behind",
                                          .severity = DR_ERROR,
                                          .confidence = DR_LIKELY,
                                          .message = "{from} leads to {url}, where a proxy answers that it does not reach "
                                                     "the gateway "
                                                     "(HTTP {status}).",
                                          .advice = "Start the gateway behind it, or correct the proxy's upstream address" },
    [DR_REACHABLE_URL_NOT_OPENCLAW] = { .code = "url-not-openclaw",
                                        .severity = DR_ERROR,
                                        .confidence = DR_LIKELY,
                                        .message =
                                            "{from} leads to {url}, and what answers there is no OpenClaw gateway: {what}.",
                                        .advice = "Correct host, port and path of {from}" },
};
