/* The environment as the configuration sees it: "setenv" and its kin in "global" change it for the lines behind them. */
#include "format/haproxy_tree.h"

#include <string.h>

const char *dr_haproxy_variable(const struct haproxy_tree *tree, const char *name)
{
    const struct dr_proxy_loader *loader = tree->gathering->loader;

    for (size_t i = tree->variable_count; i > 0; i--)
        if (strcmp(tree->variables[i - 1].name, name) == 0)
            return tree->variables[i - 1].value;
    return tree->environment_reset || !loader->environment ? NULL : loader->environment(loader->user, name);
}

static int set_variable(struct haproxy_tree *tree, const char *name, const char *value)
{
    struct haproxy_variable *grown = dr_arena_grow(tree->gathering->loader->arena, tree->variables, tree->variable_count,
                                                   sizeof(*grown), &tree->variable_room);

    if (!grown)
        return -ENOMEM;
    tree->variables = grown;
    grown[tree->variable_count++] = (struct haproxy_variable){ .name = name, .value = value };
    return 0;
}

static int reset_environment(struct haproxy_tree *tree, const struct haproxy_line *line)
{
    const size_t before = tree->variable_count;
    int r = 0;

    for (size_t i = 1; r == 0 && i < line->count; i++) {
        const char *value = dr_haproxy_variable(tree, line->words[i].text);

        r = value ? set_variable(tree, line->words[i].text, value) : 0;
    }
    if (before > 0) {
        memmove(tree->variables, tree->variables + before, (tree->variable_count - before) * sizeof(*tree->variables));
        tree->variable_count -= before;
    }
    tree->environment_reset = true;
    return r;
}

/* The lines of "global" that change what later lines read. */
int dr_haproxy_take_environment(struct haproxy_tree *tree, const struct haproxy_line *line)
{
    const char *name = dr_haproxy_word(line, 1);
    bool set = dr_haproxy_is(line, 0, "setenv");
    int r = 0;

    if (set || dr_haproxy_is(line, 0, "presetenv")) {
        if (line->count < 3)
            dr_haproxy_fault(tree, line, 0, true, "'%s' needs a name and a value", line->words[0].text);
        else if (set || !dr_haproxy_variable(tree, name))
            r = set_variable(tree, name, line->words[2].text);
    } else if (dr_haproxy_is(line, 0, "unsetenv")) {
        for (size_t i = 1; r == 0 && i < line->count; i++)
            r = set_variable(tree, line->words[i].text, NULL);
    } else if (dr_haproxy_is(line, 0, "resetenv")) {
        r = reset_environment(tree, line);
    }
    return r;
}
