#include "report/document_probes.h"

#include "base/cleanup.h"

void dr_document_probes(struct dr_maker *maker, cJSON *document, const cJSON *probes, bool deterministic)
{
    static const char *const names[] = { "request",       "kind",        "url",     "from",        "reach",      "why",
                                         "status",        "peer",        "server",  "contentType", "errorType",  "issuer",
                                         "controlUi",     "ok",          "ready",   "failing",     "challenged", "protocol",
                                         "serverVersion", "method",      "scopes",  "code",        "detailCode", "message",
                                         "closeCode",     "closeReason", "stratum", "agrees",      "curl",       "command" };
    static const char *const times[] = { "connectMs", "tlsMs", "firstByteMs", "durationMs", "offsetMs", "errorMs" };
    const cJSON *from;

    if (cJSON_GetArraySize(probes) == 0)
        return;
    cJSON *list = dr_maker_array(maker, document, "probes");

    cJSON_ArrayForEach (from, probes) {
        cJSON *probe = cJSON_CreateObject();

        for (size_t i = 0; i < DR_COUNT(names); i++)
            dr_maker_copy(maker, probe, names[i], from);
        for (size_t i = 0; !deterministic && i < DR_COUNT(times); i++)
            dr_maker_copy(maker, probe, times[i], from);
        dr_maker_append(maker, list, probe);
    }
}
