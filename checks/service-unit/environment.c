/* What the service's variables do to the gateway. */
#include "check.h"

#include <string.h>

static const char *value_of(const struct dr_service *service, const char *name)
{
    const struct dr_service_variable *variable = dr_service_get(service, name);

    return variable && variable->value[0] ? variable->value : NULL;
}

static struct dr_source place_of(const struct dr_service_variable *variable)
{
    return (struct dr_source){ .path = variable->path, .line = variable->line };
}

/* --- proxies ---------------------------------------------------------------------------------------------------------- */

/* Items are separated by commas or white space; "*" spares everything. */
static bool spares_loopback(const char *list)
{
    while (list && *list) {
        size_t length = strcspn(list, ", \t");

        if ((length == 1 && *list == '*') || (length == 9 && strncmp(list, "127.0.0.1", length) == 0))
            return true;
        list += length;
        list += strspn(list, ", \t");
    }
    return false;
}

/* From 2026.5 the gateway sends its own requests through the proxy of its environment; before, it did not look at it. */
static bool reads_proxies(struct dr_context *context)
{
    static const struct dr_release first = { .year = 2026, .month = 5, .patch = 0 };
    const struct dr_installs *installs = dr_installs(context);

    return !installs->release_known || dr_release_compare(&installs->release, &first) >= 0;
}

static void look_at_proxies(struct dr_unit_look *look)
{
    static const char *const names[] = {
        "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"
    };
    const char *spared =
        value_of(look->service, "no_proxy") ? value_of(look->service, "no_proxy") : value_of(look->service, "NO_PROXY");

    if (spares_loopback(spared))
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!value_of(look->service, names[i]))
            continue;
        /* The value is not shown: it may hold the proxy's own password. */
        struct dr_source place = place_of(dr_service_get(look->service, names[i]));
        struct dr_finding *finding = dr_service_unit_report(look, DR_UNIT_PROXY_CAPTURED, &place);

        dr_finding_text(finding, "variable", names[i]);
        dr_finding_argument(finding, "what", "proxy");
        if (!reads_proxies(look->context)) {
            dr_finding_severity(finding, DR_INFO);
            dr_finding_restrict(finding, DR_MANUAL, "the installed release does not use it");
        }
        return;
    }
}

/* --- Node's options ----------------------------------------------------------------------------------------------------- */

static void look_at_debugger(struct dr_unit_look *look)
{
    const char *options = value_of(look->service, "NODE_OPTIONS");

    if (!options || !strstr(options, "--inspect"))
        return;
    struct dr_source place = place_of(dr_service_get(look->service, "NODE_OPTIONS"));

    (void)dr_service_unit_report(look, DR_UNIT_DEBUGGER, &place);
}

/* --- the token ---------------------------------------------------------------------------------------------------------- */

/* Only where both are the same: when they differ, token-mismatch says what comes of it. */
static void look_at_token(struct dr_unit_look *look)
{
    const struct dr_service_variable *token = dr_service_get(look->service, "OPENCLAW_GATEWAY_TOKEN");
    struct dr_config_value value;

    if (!token || token->from_file || token->value[0] == '\0' ||
        dr_config_lookup(dr_config(look->context), "gateway.auth.token", &value) != 1 || !value.text || value.from_env ||
        strcmp(value.text, token->value) != 0)
        return;
    struct dr_source place = place_of(token);
    struct dr_finding *finding = dr_service_unit_report(look, DR_UNIT_TOKEN_IN_UNIT, &place);

    dr_finding_text(finding, "variable", token->name);
    dr_finding_secret(finding, "value", token->value);
    dr_finding_argument(finding, "what", "token");
}

void dr_service_unit_environment(struct dr_unit_look *look)
{
    look_at_proxies(look);
    look_at_debugger(look);
    look_at_token(look);
}
