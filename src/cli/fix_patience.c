#include "cli/fix_patience.h"

#include "wire/commands.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum {
    AGAIN = 250,
    COMMAND_FIRST = 400, /* a proxy that was reloaded needs a moment */
    COMMAND_MOST = 5000,
    START_STEADY = 3000, /* Node needs a second or two to find out that it cannot start */
    CONFIG_FIRST = 1500, /* a gateway that takes in its configuration is away for seconds */
    CONFIG_MOST = 25000,
};

static unsigned larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

struct dr_patience dr_patience_for(const struct dr_operation *operations, const struct dr_repair_result *results,
                                   size_t count, const char *live_config)
{
    struct dr_patience patience = { .again = AGAIN };

    for (size_t i = 0; i < count; i++) {
        const struct dr_operation *operation = &operations[i];
        bool is_command = operation->kind == DR_RUN_COMMAND && operation->command;
        const struct dr_command_row *row = is_command ? dr_command_find(operation->command->name) : NULL;

        if (results[i].status != DR_REPAIR_APPLIED)
            continue;
        if (row) {
            patience.first = larger(patience.first, COMMAND_FIRST);
            patience.most = larger(patience.most, COMMAND_MOST);
        }
        if (row && row->starts && (operation->command->when & DR_COMMAND_FORWARD) != 0)
            patience.steady = START_STEADY;
        if (operation->kind == DR_EDIT_FILE && live_config && strcmp(operation->path, live_config) == 0) {
            patience.first = larger(patience.first, CONFIG_FIRST);
            patience.most = larger(patience.most, CONFIG_MOST);
        }
    }
    return patience;
}

void dr_patience_wait(unsigned ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}
