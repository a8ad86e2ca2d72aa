/* Settings of proxies, "defaults" put in (haproxy 2.6: cfg_parse_listen, proxy_copy). */
#include "format/haproxy_proxy.h"

#include <string.h>

bool dr_haproxy_is_frontend(const struct haproxy_proxy *proxy)
{
    return proxy->section->kind == HAPROXY_FRONTEND || proxy->section->kind == HAPROXY_LISTEN;
}

bool dr_haproxy_is_backend(const struct haproxy_proxy *proxy)
{
    return proxy->section->kind == HAPROXY_BACKEND || proxy->section->kind == HAPROXY_LISTEN;
}

int dr_haproxy_add_line(struct haproxy_tree *tree, struct haproxy_lines *lines, const struct haproxy_line *line)
{
    const struct haproxy_line **grown = dr_arena_grow(tree->gathering->loader->arena, lines->list, lines->count,
                                                      sizeof(const struct haproxy_line *), &lines->room);

    if (!grown)
        return -ENOMEM;
    lines->list = grown;
    grown[lines->count++] = line;
    return 0;
}

bool dr_haproxy_time(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = { { "", 1 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
    int64_t value = 0;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++)
        value = value > INT32_MAX ? value : value * 10 + (*text - '0');
    if (strcmp(text, "us") == 0) {
        *ret_ms = (value + 999) / 1000;
        return true;
    }
    for (size_t i = 0; i < DR_COUNT(units); i++) {
        if (strcmp(text, units[i].unit) == 0) {
            *ret_ms = value * units[i].ms;
            return *ret_ms <= INT32_MAX;
        }
    }
    return false;
}

static void take_timeout(struct haproxy_tree *tree, struct haproxy_proxy *proxy, const struct haproxy_line *line)
{
    static const char *const others[] = { "connect", "check",      "queue",      "http-keep-alive", "http-request",
                                          "tarpit",  "client-fin", "server-fin", "client-hs" };
    const char *name = dr_haproxy_word(line, 1);
    struct haproxy_time *time = strcmp(name, "client") == 0   ? &proxy->client
                                : strcmp(name, "server") == 0 ? &proxy->server
                                : strcmp(name, "tunnel") == 0 ? &proxy->tunnel
                                                              : NULL;
    bool known = time != NULL;
    int64_t ms;

    for (size_t i = 0; i < DR_COUNT(others); i++)
        known = known || strcmp(name, others[i]) == 0;
    if (!known)
        dr_haproxy_fault(tree, line, 1, true, "'%.40s' is no timeout", name);
    else if (!dr_haproxy_time(dr_haproxy_word(line, 2), &ms))
        dr_haproxy_fault(tree, line, 2, time != NULL, "'%.40s' is no time", dr_haproxy_word(line, 2));
    else if (time)
        *time = (struct haproxy_time){ .line = line, .ms = ms };
}

static void take_forwardfor(struct haproxy_tree *tree, struct haproxy_proxy *proxy, const struct haproxy_line *line)
{
    struct haproxy_forwardfor *on = &proxy->forwardfor;

    if (line->modifier != HAPROXY_PLAIN) {
        dr_haproxy_fault(tree, line, 1, true, "'option forwardfor' cannot be switched off by 'no' or 'default'");
        return;
    }
    *on = (struct haproxy_forwardfor){ .line = line, .header = "X-Forwarded-For", .always = true };
    for (size_t i = 2; i < line->count; i++) {
        if (dr_haproxy_is(line, i, "if-none")) {
            on->always = false;
        } else if (dr_haproxy_is(line, i, "header") && i + 1 < line->count) {
            on->header = line->words[++i].text;
        } else if (dr_haproxy_is(line, i, "except") && i + 1 < line->count) {
            const char *net = line->words[++i].text;
            size_t length = strlen(net);

            on->excepts = true;
            on->never = length > 2 && strcmp(net + length - 2, "/0") == 0;
        } else {
            dr_haproxy_fault(tree, line, i, true, "'%.40s' is no word for 'option forwardfor'", line->words[i].text);
        }
    }
}

/* These three exclude each other: "no" takes back only the one that is on. */
static void take_closing(struct haproxy_proxy *proxy, const struct haproxy_line *line)
{
    static const char *const names[] = { "http-keep-alive", "http-server-close", "httpclose" };

    for (int i = HAPROXY_KEEPS; i <= HAPROXY_CLOSES; i++) {
        if (!dr_haproxy_is(line, 1, names[i]))
            continue;
        if (line->modifier == HAPROXY_PLAIN)
            proxy->closing = (enum haproxy_closing)i;
        else if (line->modifier == HAPROXY_DEFAULT || proxy->closing == (enum haproxy_closing)i)
            proxy->closing = HAPROXY_KEEPS;
    }
}

static void take_option(struct haproxy_tree *tree, struct haproxy_proxy *proxy, const struct haproxy_line *line)
{
    const char *name = dr_haproxy_word(line, 1);

    take_closing(proxy, line);
    if (!dr_haproxy_knows_option(name))
        dr_haproxy_fault(tree, line, 1, true, "'%.40s' is no option", name);
    else if (strcmp(name, "forwardfor") == 0)
        take_forwardfor(tree, proxy, line);
    else if (strcmp(name, "forwarded") == 0)
        proxy->forwarded = line->modifier == HAPROXY_PLAIN ? line : NULL;
}

static void take_mode(struct haproxy_tree *tree, struct haproxy_proxy *proxy, const struct haproxy_line *line)
{
    const char *mode = dr_haproxy_word(line, 1);

    proxy->mode_line = line;
    if (strcmp(mode, "http") == 0)
        proxy->mode = HAPROXY_HTTP;
    else if (strcmp(mode, "tcp") == 0)
        proxy->mode = HAPROXY_TCP;
    else
        proxy->mode = HAPROXY_OTHER_MODE;
    if (proxy->mode == HAPROXY_OTHER_MODE && strcmp(mode, "log") != 0 && strcmp(mode, "spop") != 0 &&
        strcmp(mode, "haterm") != 0)
        dr_haproxy_fault(tree, line, 1, true, "'%.40s' is no mode", mode);
}

/* Lines that are kept as they are; NULL: none of these. */
static struct haproxy_lines *list_of(struct haproxy_proxy *proxy, const struct haproxy_line *line)
{
    const struct {
        const char *word;
        struct haproxy_lines *lines;
    } lists[] = {
        { "acl", &proxy->own.acls },
        { "http-request", &proxy->own.rules },
        { "redirect", &proxy->own.redirects },
        { "http-response", &proxy->own.answers },
        { "http-after-response", &proxy->own.answers },
        { "bind", &proxy->binds },
        { "use_backend", &proxy->switches },
        { "server", &proxy->servers },
        { "server-template", &proxy->servers },
        { "default-server", &proxy->servers },
        { "dispatch", &proxy->servers },
    };

    for (size_t i = 0; i < DR_COUNT(lists); i++)
        if (dr_haproxy_is(line, 0, lists[i].word))
            return lists[i].lines;
    return NULL;
}

static void complain_about_place(struct haproxy_tree *tree, struct haproxy_proxy *proxy, const struct haproxy_line *line)
{
    bool anonymous = proxy->section->kind == HAPROXY_DEFAULTS && proxy->section->name[0] == '\0';
    const char *word = line->words[0].text;

    if (anonymous && (strcmp(word, "acl") == 0 || strncmp(word, "http-re", 7) == 0 || strncmp(word, "http-after", 10) == 0))
        dr_haproxy_fault(tree, line, 0, true, "'%s' may only stand in a 'defaults' section that has a name", word);
    else if (!dr_haproxy_is_backend(proxy) && list_of(proxy, line) == &proxy->servers &&
             !dr_haproxy_is(line, 0, "default-server"))
        dr_haproxy_fault(tree, line, 0, true, "'%s' may not stand in a '%s' section", word,
                         proxy->section->head.words[0].text);
}

static int take_line(struct haproxy_tree *tree, struct haproxy_proxy *proxy, const struct haproxy_line *line)
{
    struct haproxy_lines *list = list_of(proxy, line);

    complain_about_place(tree, proxy, line);
    if (list)
        return dr_haproxy_add_line(tree, list, line);
    if (dr_haproxy_is(line, 0, "mode"))
        take_mode(tree, proxy, line);
    else if (dr_haproxy_is(line, 0, "timeout"))
        take_timeout(tree, proxy, line);
    else if (dr_haproxy_is(line, 0, "option"))
        take_option(tree, proxy, line);
    else if (dr_haproxy_is(line, 0, "default_backend"))
        proxy->default_backend = line;
    else if (strncmp(line->words[0].text, "tcp-re", 6) == 0)
        proxy->tcp_rules++;
    else if (dr_haproxy_is(line, 0, "use-fcgi-app"))
        proxy->fcgi = line;
    else if (dr_haproxy_is(line, 0, "disabled") || dr_haproxy_is(line, 0, "enabled"))
        proxy->off = line->words[0].text[0] == 'd';
    return 0;
}

static int compare_acls(const void *left, const void *right)
{
    const struct haproxy_line *const *a = left;
    const struct haproxy_line *const *b = right;
    int by_name = strcmp(dr_haproxy_word(*a, 1), dr_haproxy_word(*b, 1));

    return by_name != 0 ? by_name : ((*a)->number > (*b)->number) - ((*a)->number < (*b)->number);
}

static int finish_scope(struct haproxy_tree *tree, struct haproxy_scope *scope)
{
    int r = 0;

    if (scope->acls.count)
        qsort(scope->acls.list, scope->acls.count, sizeof(*scope->acls.list), compare_acls);
    for (size_t i = 0; r == 0 && i < scope->redirects.count; i++)
        r = dr_haproxy_add_line(tree, &scope->rules, scope->redirects.list[i]);
    return r;
}

/* Everything that "defaults" pass on; lists are copied when they grow. */
static void start_from(struct haproxy_proxy *proxy, const struct haproxy_proxy *defaults)
{
    const struct haproxy_section *section = proxy->section;

    *proxy = *defaults;
    proxy->section = section;
    proxy->own = (struct haproxy_scope){ 0 };
    proxy->inherited = &defaults->own;
    proxy->tcp_rules = proxy->uses = 0;
    proxy->servers.room = proxy->servers.count;
}

static int read_one(struct haproxy_proxies *proxies, size_t index)
{
    struct haproxy_tree *tree = proxies->tree;
    struct haproxy_proxy *proxy = &proxies->list[index];
    const struct haproxy_section *section = tree->sections[index];
    int r = 0;

    proxy->section = section;
    if (section->kind <= HAPROXY_GLOBAL)
        return 0;
    if (section->defaults)
        start_from(proxy, &proxies->list[section->defaults->index]);
    for (size_t i = 0; r == 0 && i < section->count; i++)
        r = take_line(tree, proxy, &section->lines[i]);
    return r < 0 ? r : finish_scope(tree, &proxy->own);
}

/* --- names -------------------------------------------------------------------------------------------------------------- */

static int compare_names(const void *left, const void *right)
{
    const struct haproxy_proxy *const *a = left;
    const struct haproxy_proxy *const *b = right;
    int by_name = strcmp((*a)->section->name, (*b)->section->name);

    return by_name != 0 ? by_name : (*a > *b) - (*a < *b);
}

static bool elsewhere(const struct haproxy_proxy *one, const struct haproxy_proxy *other)
{
    return one->section->head.file != other->section->head.file;
}

/* Two "listen" of one name are twins among the frontends already. */
static void complain_about_twins(struct haproxy_tree *tree, struct haproxy_proxy *const *sorted, size_t count, bool backends)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i - 1]->section->name, sorted[i]->section->name) == 0 &&
            (!backends || !dr_haproxy_is_frontend(sorted[i - 1]) || !dr_haproxy_is_frontend(sorted[i])))
            dr_haproxy_fault(tree, &sorted[i]->section->head, 1, true,
                             "a section of the name '%.60s' stands at line %u%s%s already", sorted[i]->section->name,
                             sorted[i - 1]->section->head.number, elsewhere(sorted[i - 1], sorted[i]) ? " of " : "",
                             elsewhere(sorted[i - 1], sorted[i]) ? sorted[i - 1]->section->head.file->path : "");
}

static int sort_names(struct haproxy_proxies *proxies)
{
    struct haproxy_tree *tree = proxies->tree;
    struct dr_arena *arena = tree->gathering->loader->arena;
    struct haproxy_proxy **frontends = dr_arena_alloc(arena, (tree->count + 1) * sizeof(struct haproxy_proxy *));
    size_t count = 0;

    proxies->backends = dr_arena_alloc(arena, (tree->count + 1) * sizeof(struct haproxy_proxy *));
    if (!frontends || !proxies->backends)
        return -ENOMEM;
    for (size_t i = 0; i < tree->count; i++) {
        if (dr_haproxy_is_frontend(&proxies->list[i]))
            frontends[count++] = &proxies->list[i];
        if (dr_haproxy_is_backend(&proxies->list[i]))
            proxies->backends[proxies->backend_count++] = &proxies->list[i];
    }
    qsort(frontends, count, sizeof(*frontends), compare_names);
    qsort(proxies->backends, proxies->backend_count, sizeof(*proxies->backends), compare_names);
    complain_about_twins(tree, frontends, count, false);
    complain_about_twins(tree, proxies->backends, proxies->backend_count, true);
    return 0;
}

struct haproxy_proxy *dr_haproxy_backend(const struct haproxy_proxies *proxies, const char *name)
{
    size_t low = 0, high = proxies->backend_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(proxies->backends[middle]->section->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < proxies->backend_count && strcmp(proxies->backends[low]->section->name, name) == 0;

    return found ? proxies->backends[low] : NULL;
}

/* "defaults" with rules: for frontends or for backends, by name or because they are the last, not both, and not for other "defaults". */
static void check_rules_of_defaults(struct haproxy_proxies *proxies)
{
    struct haproxy_tree *tree = proxies->tree;

    for (size_t i = 0; i < tree->count; i++) {
        const struct haproxy_section *section = tree->sections[i];
        struct haproxy_proxy *from = section->defaults ? &proxies->list[section->defaults->index] : NULL;
        bool named = dr_haproxy_is(&section->head, section->name[0] ? 2 : 1, "from");
        unsigned use = section->kind == HAPROXY_BACKEND ? 1 : 2;

        if (!from || from->own.rules.count + from->own.answers.count + from->tcp_rules == 0)
            continue;
        use |= named ? 4 : 8;
        from->uses |= use;
        if (section->kind == HAPROXY_DEFAULTS)
            dr_haproxy_fault(tree, &section->head, 0, true, "'defaults' cannot start from 'defaults' that hold rules");
        else if ((from->uses & 3) == 3)
            dr_haproxy_fault(tree, &section->head, 0, true,
                             "'defaults' that hold rules serve frontends or backends, not both");
        else if ((from->uses & 12) == 12)
            dr_haproxy_fault(tree, &section->head, 0, true,
                             "'defaults' that hold rules are named with 'from' or are the last ones, not both");
    }
}

int dr_haproxy_read_proxies(struct haproxy_tree *tree, struct haproxy_proxies *ret_proxies)
{
    *ret_proxies = (struct haproxy_proxies){
        .tree = tree,
        .list = dr_arena_alloc(tree->gathering->loader->arena, (tree->count + 1) * sizeof(struct haproxy_proxy)),
    };
    if (!ret_proxies->list)
        return -ENOMEM;
    for (size_t i = 0; i < tree->count; i++) {
        int r = read_one(ret_proxies, i);

        if (r < 0)
            return r;
        if (ret_proxies->list[i].section->kind >= HAPROXY_DEFAULTS)
            dr_haproxy_check_proxy(ret_proxies, &ret_proxies->list[i]);
    }
    check_rules_of_defaults(ret_proxies);
    return sort_names(ret_proxies);
}
