#include "api/gateway.h"

#include "facts/context.h"

__attribute__((weak)) const struct dr_gateway *dr_gateway(struct dr_context *context)
{
    if (!context->gateway) {
        context->gateway = dr_alloc(context, sizeof(*context->gateway));
        context->gateway->fact.state = DR_UNKNOWN;
        context->gateway->fact.reason = "not looked for yet";
    }
    return context->gateway;
}
