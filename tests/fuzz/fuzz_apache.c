/* Apache httpd: see proxy_target.h. */
#include "proxy_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return proxy_target(&dr_apache_format, READS_AGAIN, data, size);
}
