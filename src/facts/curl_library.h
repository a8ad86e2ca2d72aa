/*
 * libcurl and libwslay, loaded with dlopen when the first probe needs them: linking them would cost each look their start-up (some 25
 * libraries), and Debian has no static archive of libcurl that works. Without them the program works; only nothing can be probed.
 *
 * The tables hold the functions under their own names without the prefix: curl->easy_init is curl_easy_init. Nothing is unloaded.
 */
#ifndef DR_FACTS_CURL_LIBRARY_H
#define DR_FACTS_CURL_LIBRARY_H

#define CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_DEPRECATION /* what 7.85 renamed is what Debian 11 has */

#include <curl/curl.h>
#include <wslay/wslay.h>

#define DR_CURL_FUNCTIONS(X) \
    X(global_init)           \
    X(easy_init)             \
    X(easy_cleanup)          \
    X(easy_setopt)           \
    X(easy_getinfo)          \
    X(easy_send)             \
    X(easy_recv)             \
    X(easy_strerror)         \
    X(multi_init)            \
    X(multi_add_handle)      \
    X(multi_remove_handle)   \
    X(multi_perform)         \
    X(multi_wait)            \
    X(multi_info_read)       \
    X(multi_cleanup)         \
    X(slist_append)          \
    X(slist_free_all)        \
    X(getdate)

#define DR_WSLAY_FUNCTIONS(X) \
    X(context_client_init)    \
    X(context_free)           \
    X(recv)                   \
    X(send)                   \
    X(queue_msg)              \
    X(queue_close)            \
    X(want_write)             \
    X(set_error)              \
    X(config_set_max_recv_msg_length)

struct dr_curl {
#define DR_CURL_FIELD(name) __typeof__(curl_##name) *(name);
    DR_CURL_FUNCTIONS(DR_CURL_FIELD)
#undef DR_CURL_FIELD
};

struct dr_wslay {
#define DR_WSLAY_FIELD(name) __typeof__(wslay_event_##name) *(name);
    DR_WSLAY_FUNCTIONS(DR_WSLAY_FIELD)
#undef DR_WSLAY_FIELD
};

/* NULL, or static words why not, with the package to install. */
const char *dr_curl_load(struct dr_curl *ret_curl);
const char *dr_wslay_load(struct dr_wslay *ret_wslay);

#endif
