#include "facts/curl_library.h"

#include "base/cleanup.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct symbol {
    const char *name;
    size_t offset;
};

static const struct symbol curl_symbols[] = {
#define CURL_SYMBOL(function) { "curl_" #function, offsetof(struct dr_curl, function) },
    DR_CURL_FUNCTIONS(CURL_SYMBOL)
#undef CURL_SYMBOL
};

static const struct symbol wslay_symbols[] = {
#define WSLAY_SYMBOL(function) { "wslay_event_" #function, offsetof(struct dr_wslay, function) },
    DR_WSLAY_FUNCTIONS(WSLAY_SYMBOL)
#undef WSLAY_SYMBOL
};

/* Both flavours of libcurl that Debian has speak the same ABI; what we ask is answered by either TLS library. */
static const char *const curl_names[] = { "libcurl.so.4", "libcurl-gnutls.so.4", NULL };
static const char *const wslay_names[] = { "libwslay.so.1", NULL };

static void *open_first(const char *const *names)
{
    void *library = NULL;

    for (; *names && !library; names++)
        library = dlopen(*names, RTLD_LAZY | RTLD_LOCAL);
    return library;
}

static bool take_all(void *library, const struct symbol *symbols, size_t count, void *table)
{
    for (size_t i = 0; i < count; i++) {
        void *function = dlsym(library, symbols[i].name);

        if (!function)
            return false;
        memcpy((char *)table + symbols[i].offset, &function, sizeof(function));
    }
    return true;
}

const char *dr_curl_load(struct dr_curl *ret_curl)
{
    void *library = open_first(curl_names);

    if (!library)
        return "libcurl is not installed (Debian: apt-get install libcurl4)";
    return take_all(library, curl_symbols, DR_COUNT(curl_symbols), ret_curl)
               ? NULL
               : "libcurl is too old (Debian: apt-get install libcurl4)";
}

const char *dr_wslay_load(struct dr_wslay *ret_wslay)
{
    void *library = open_first(wslay_names);

    if (!library)
        return "libwslay is not installed (Debian: apt-get install libwslay1)";
    return take_all(library, wslay_symbols, DR_COUNT(wslay_symbols), ret_wslay)
               ? NULL
               : "libwslay is too old (Debian: apt-get install libwslay1)";
}
