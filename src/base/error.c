#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void dr_error_release(struct dr_error *error)
{
    free(error->text);
    error->text = NULL;
    error->code = 0;
}

int dr_error_set(struct dr_error *error, int code, const char *format, ...)
{
    if (!error)
        return code;

    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    free(error->text);
    error->text = text;
    error->code = code;
    return code;
}

const char *dr_errno_text(int code)
{
    static const struct {
        int code;
        const char *text;
    } words[] = {
        { ENOENT, "no such file" },
        { EACCES, "permission denied" },
        { EPERM, "not permitted" },
        { ELOOP, "a symbolic link stands in the way" },
        { EXDEV, "leads to another file system or out of the folder" },
        { ENOSPC, "no space left on the disk" },
        { EROFS, "the file system is read-only" },
        { EIO, "the disk reports an input/output error" },
        { E2BIG, "too large" },
        { ENOMEM, "out of memory" },
        { ESTALE, "changed since it was looked at" },
        { ETIMEDOUT, "took too long" },
    };

    for (size_t i = 0; i < DR_COUNT(words); i++)
        if (words[i].code == -code)
            return words[i].text;

    const char *text = strerrordesc_np(-code);

    return text ? text : "unknown error";
}

const char *dr_error_text(const struct dr_error *error)
{
    return error->text ? error->text : dr_errno_text(error->code);
}
