/* Traefik: see proxy_target.h. */
#include "proxy_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return proxy_target(&dr_traefik_format, SETTLES, data, size);
}
