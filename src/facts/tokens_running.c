#include "facts/tokens_places.h"

#include "api/gateway.h"
#include "base/error.h"
#include "facts/proc.h"

void dr_tokens_from_gateway(struct dr_token_gathering *gathering)
{
    struct dr_context *context = gathering->context;
    const struct dr_gateway *gateway = dr_gateway(context);

    if (gateway->fact.state != DR_KNOWN || gateway->pid <= 0)
        return;
    for (size_t i = 0; i < dr_token_variable_count; i++) {
        const struct dr_token_variable *variable = &dr_token_variables[i];
        struct dr_token_place place = {
            .kind = DR_PLACE_RUNNING,
            .variable = variable->name,
            .password = variable->password,
            .source = { .path = dr_format(context, "%s/%ld/environ", context->request->proc, gateway->pid),
                        .pointer = variable->name },
            .not_editable = "it belongs to a running program",
        };
        int r = dr_process_variable(context, gateway->pid, variable->name, &place.value);

        if (r == 0 && dr_token_is_read(gathering, variable))
            dr_token_add(gathering, &place);
        if (r < 0 && r != -ENOENT) {
            if (r != -ESRCH)
                dr_token_unread(gathering, &place.source,
                                dr_format(context, "the environment of the running gateway (pid %ld): %s", gateway->pid,
                                          dr_errno_text(r)));
            return;
        }
    }
    gathering->running = true;
}
