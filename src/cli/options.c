#include "cli/options.h"

#include "engine/engine.h"

#include <getopt.h>
#include <string.h>
#include <strings.h>

enum word {
    WORD_JSON = 256,
    WORD_FIX,
    WORD_DRY_RUN,
    WORD_UNSAFE,
    WORD_FORCE,
    WORD_NON_INTERACTIVE,
    WORD_NO_COLOR,
    WORD_DETERMINISTIC,
    WORD_EXIT_ZERO,
    WORD_DETAILED_EXIT,
    WORD_SEVERITY_MIN,
    WORD_EXIT_STYLE,
    WORD_FORMAT,
    WORD_STATE_DIR,
    WORD_CONFIG,
    WORD_PROFILE,
    WORD_ROOT,
    WORD_USER,
    WORD_OPENCLAW_VERSION,
    WORD_JOURNAL_DIR,
    WORD_ONLY,
    WORD_SKIP,
    WORD_TAG,
    WORD_TIMEOUT,
    WORD_CHECK_TIMEOUT,
    WORD_PROBE_TIMEOUT,
    WORD_ONLINE,
    WORD_OFFLINE,
    WORD_DEEP,
    WORD_GATEWAY_URL,
    WORD_PROXY_CONFIG,
    WORD_PRINT_SCHEMA,
    WORD_VERSION,
    WORD_ACCEPTED, /* a word of OpenClaw's own doctor that changes nothing here */
};

static const struct option words[] = {
    { "json", no_argument, NULL, WORD_JSON },
    { "fix", no_argument, NULL, WORD_FIX },
    { "repair", no_argument, NULL, WORD_FIX },
    { "dry-run", no_argument, NULL, WORD_DRY_RUN },
    { "yes", no_argument, NULL, 'y' },
    { "unsafe", no_argument, NULL, WORD_UNSAFE },
    { "force", no_argument, NULL, WORD_FORCE },
    { "non-interactive", no_argument, NULL, WORD_NON_INTERACTIVE },
    { "quiet", no_argument, NULL, 'q' },
    { "verbose", no_argument, NULL, 'v' },
    { "no-color", no_argument, NULL, WORD_NO_COLOR },
    { "no-colour", no_argument, NULL, WORD_NO_COLOR },
    { "deterministic", no_argument, NULL, WORD_DETERMINISTIC },
    { "exit-zero", no_argument, NULL, WORD_EXIT_ZERO },
    { "detailed-exit", no_argument, NULL, WORD_DETAILED_EXIT },
    { "severity-min", required_argument, NULL, WORD_SEVERITY_MIN },
    { "exit-style", required_argument, NULL, WORD_EXIT_STYLE },
    { "format", required_argument, NULL, WORD_FORMAT },
    { "output", required_argument, NULL, 'o' },
    { "state-dir", required_argument, NULL, WORD_STATE_DIR },
    { "config", required_argument, NULL, WORD_CONFIG },
    { "profile", required_argument, NULL, WORD_PROFILE },
    { "root", required_argument, NULL, WORD_ROOT },
    { "user", required_argument, NULL, WORD_USER },
    { "openclaw-version", required_argument, NULL, WORD_OPENCLAW_VERSION },
    { "journal-dir", required_argument, NULL, WORD_JOURNAL_DIR },
    { "only", required_argument, NULL, WORD_ONLY },
    { "skip", required_argument, NULL, WORD_SKIP },
    { "tag", required_argument, NULL, WORD_TAG },
    { "timeout", required_argument, NULL, WORD_TIMEOUT },
    { "check-timeout", required_argument, NULL, WORD_CHECK_TIMEOUT },
    { "probe-timeout", required_argument, NULL, WORD_PROBE_TIMEOUT },
    { "online", no_argument, NULL, WORD_ONLINE },
    { "offline", no_argument, NULL, WORD_OFFLINE },
    { "deep", optional_argument, NULL, WORD_DEEP },
    { "gateway-url", required_argument, NULL, WORD_GATEWAY_URL },
    { "proxy-config", required_argument, NULL, WORD_PROXY_CONFIG },
    { "print-schema", no_argument, NULL, WORD_PRINT_SCHEMA },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, WORD_VERSION },
    { "lint", no_argument, NULL, WORD_ACCEPTED },
    { "all", no_argument, NULL, WORD_ACCEPTED },
    { "no-workspace-suggestions", no_argument, NULL, WORD_ACCEPTED },
    { NULL, 0, NULL, 0 },
};

static const struct {
    const char *word;
    enum dr_cli_command command;
    bool takes_operand, needs_operand;
} commands[] = {
    { "diagnose", DR_COMMAND_LOOK, false, false },   { "plan", DR_COMMAND_PLAN, false, false },
    { "apply", DR_COMMAND_APPLY, true, true },       { "undo", DR_COMMAND_UNDO, true, false },
    { "history", DR_COMMAND_HISTORY, false, false }, { "list", DR_COMMAND_LIST, false, false },
    { "explain", DR_COMMAND_EXPLAIN, true, true },   { "help", DR_COMMAND_HELP, false, false },
    { "version", DR_COMMAND_VERSION, false, false },
};

static const char help[] =
    "openclaw-doctor finds out why OpenClaw cannot connect, pair or start, and repairs it.\n"
    "\n"
    "  openclaw-doctor                    look, and say what is wrong (changes nothing)\n"
    "  openclaw-doctor --fix --dry-run    show what a repair would change, as a diff\n"
    "  openclaw-doctor --fix              repair what is safe; asks before anything else\n"
    "  openclaw-doctor undo [RUN]         take the newest repair (or RUN) back\n"
    "  openclaw-doctor history            repairs so far\n"
    "  openclaw-doctor plan [-o FILE]     save a repair plan;  apply FILE  carries out exactly that\n"
    "  openclaw-doctor list               all checks\n"
    "  openclaw-doctor explain WHAT       a check, a close code (1008) or an error message\n"
    "\n"
    "What to look at\n"
    "  --state-dir DIR  --config FILE  --profile NAME  --user USER  --root DIR  --openclaw-version V\n"
    "  --only ID  --skip ID  --tag TAG    checks (files-modes) or single problems (files-modes/open-to-others)\n"
    "  --timeout SECONDS                  for all checks together (default 60)\n"
    "  --check-timeout SECONDS            for each check (default 10)\n"
    "\n"
    "Contacting the gateway (by default this host's own addresses only, without authenticating)\n"
    "  --online               other hosts too: public URLs, time servers\n"
    "  --offline              nobody at all\n"
    "  --gateway-url URL      also ask this address\n"
    "  --deep[=identity]      connect with the gateway's token (or sign as this home's device)\n"
    "  --proxy-config FILE    the configuration of a reverse proxy that is not in its usual place\n"
    "  --probe-timeout SECONDS  for each address (default 3)\n"
    "\n"
    "Repairing\n"
    "  --yes              do not ask (unsafe repairs are left out)\n"
    "  --unsafe           also repairs that grant a right, stop a service or replace data\n"
    "  --non-interactive  never ask\n"
    "  --force            undo even what was changed since\n"
    "  --journal-dir DIR  where repairs are recorded (default: openclaw-doctor/ in the state directory)\n"
    "\n"
    "Report\n"
    "  --json  -o FILE  --severity-min info|warning|error  --verbose  --quiet  --no-color\n"
    "  --exit-style lint|nagios|health|fsck  --exit-zero  --detailed-exit  --deterministic  --print-schema\n"
    "\n"
    "Exit status: 0 healthy, 1 problems, 2 no trustworthy report, 3 could not tell everything,\n"
    "4 a repair failed and was rolled back, 5 the rollback is incomplete, 64 usage.\n";

const char *dr_options_help(void)
{
    return help;
}

static int add_word(const char **list, const char *value, const char *name, struct dr_error *error)
{
    size_t count = 0;

    while (list[count])
        count++;
    if (count == DR_MOST_WORDS)
        return dr_error_set(error, -EINVAL, "too many --%s", name);
    list[count] = value;
    return 0;
}

static int parse_seconds(const char *name, const char *text, unsigned *ret_ms, struct dr_error *error)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !(seconds > 0) || seconds > 86400)
        return dr_error_set(error, -EINVAL, "--%s wants a number of seconds, not \"%s\"", name, text);
    *ret_ms = seconds < 0.001 ? 1 : (unsigned)(seconds * 1000);
    return 0;
}

static int parse_check(const char *name, const char *value, const char **list, struct dr_error *error)
{
    bool tag_too = strcmp(name, "skip") == 0;

    if (!dr_selection_knows(value) && !(tag_too && dr_selection_knows_tag(value)))
        return dr_error_set(error, -EINVAL, "--%s %s: no such check; \"openclaw-doctor list\" names them all", name, value);
    return add_word(list, value, name, error);
}

static int parse_exit_style(struct dr_options *options, const char *value, struct dr_error *error)
{
    static const char *const styles[] = { "lint", "nagios", "health", "fsck" };

    for (size_t i = 0; i < DR_COUNT(styles); i++) {
        if (strcmp(styles[i], value) == 0) {
            options->exit_style = styles[i];
            return 0;
        }
    }
    return dr_error_set(error, -EINVAL, "--exit-style is one of lint, nagios, health, fsck, not \"%s\"", value);
}

static int parse_format(struct dr_options *options, const char *value, struct dr_error *error)
{
    if (strcmp(value, "json") != 0 && strcmp(value, "human") != 0)
        return dr_error_set(error, -EINVAL, "--format is human or json, not \"%s\"", value);
    options->json = value[0] == 'j';
    return 0;
}

static int parse_severity(struct dr_options *options, const char *value, struct dr_error *error)
{
    if (!dr_severity_parse(value, &options->severity_min))
        return dr_error_set(error, -EINVAL, "--severity-min is one of info, warning, error, not \"%s\"", value);
    return 0;
}

static int take_path(const char **field, const char *name, const char *value, struct dr_error *error)
{
    if (value[0] == '\0')
        return dr_error_set(error, -EINVAL, "--%s is empty", name);
    *field = value;
    return 0;
}

static int parse_deep(struct dr_options *options, const char *value, struct dr_error *error)
{
    if (value && strcmp(value, "identity") != 0)
        return dr_error_set(error, -EINVAL, "--deep stands alone or is --deep=identity, not \"%s\"", value);
    options->deep = value ? DR_DEEP_IDENTITY : DR_DEEP_TOKEN;
    return 0;
}

static int parse_url(struct dr_options *options, const char *value, struct dr_error *error)
{
    static const char *const schemes[] = { "ws://", "wss://", "http://", "https://" };

    for (size_t i = 0; i < DR_COUNT(schemes); i++) {
        if (strncasecmp(value, schemes[i], strlen(schemes[i])) == 0 && value[strlen(schemes[i])] != '\0') {
            options->gateway_url = value;
            return 0;
        }
    }
    return dr_error_set(error, -EINVAL, "--gateway-url wants ws://, wss://, http:// or https:// and a host, not \"%s\"",
                        value);
}

/* The words that take a value. 1: not one of these. */
static int take_value(struct dr_options *options, int word, const char *value, struct dr_error *error)
{
    switch (word) {
    case 'o':
        return take_path(&options->output, "output", value, error);
    case WORD_STATE_DIR:
        return take_path(&options->state_dir, "state-dir", value, error);
    case WORD_CONFIG:
        return take_path(&options->config, "config", value, error);
    case WORD_PROFILE:
        return take_path(&options->profile, "profile", value, error);
    case WORD_ROOT:
        return take_path(&options->root, "root", value, error);
    case WORD_USER:
        return take_path(&options->user, "user", value, error);
    case WORD_OPENCLAW_VERSION:
        return take_path(&options->openclaw_version, "openclaw-version", value, error);
    case WORD_JOURNAL_DIR:
        return take_path(&options->journal_dir, "journal-dir", value, error);
    case WORD_ONLY:
        return parse_check("only", value, options->only, error);
    case WORD_SKIP:
        return parse_check("skip", value, options->skip, error);
    case WORD_TAG:
        if (!dr_selection_knows_tag(value))
            return dr_error_set(error, -EINVAL, "--tag %s: no check has that tag", value);
        return add_word(options->tags, value, "tag", error);
    case WORD_TIMEOUT:
        return parse_seconds("timeout", value, &options->timeout_ms, error);
    case WORD_CHECK_TIMEOUT:
        return parse_seconds("check-timeout", value, &options->check_timeout_ms, error);
    case WORD_PROBE_TIMEOUT:
        return parse_seconds("probe-timeout", value, &options->probe_timeout_ms, error);
    case WORD_DEEP:
        return parse_deep(options, value, error);
    case WORD_GATEWAY_URL:
        return parse_url(options, value, error);
    case WORD_PROXY_CONFIG:
        if (value[0] != '/')
            return dr_error_set(error, -EINVAL, "--proxy-config wants an absolute path, not \"%s\"", value);
        return add_word(options->proxy_configs, value, "proxy-config", error);
    case WORD_SEVERITY_MIN:
        return parse_severity(options, value, error);
    case WORD_EXIT_STYLE:
        return parse_exit_style(options, value, error);
    case WORD_FORMAT:
        return parse_format(options, value, error);
    default:
        return 1;
    }
}

static void take_switch(struct dr_options *options, int word)
{
    const struct {
        int word;
        bool *field;
    } switches[] = {
        { WORD_JSON, &options->json },
        { WORD_DRY_RUN, &options->dry_run },
        { 'y', &options->yes },
        { WORD_UNSAFE, &options->unsafe },
        { WORD_FORCE, &options->force },
        { WORD_NON_INTERACTIVE, &options->non_interactive },
        { 'q', &options->quiet },
        { 'v', &options->verbose },
        { WORD_NO_COLOR, &options->no_color },
        { WORD_DETERMINISTIC, &options->deterministic },
        { WORD_EXIT_ZERO, &options->exit_zero },
        { WORD_DETAILED_EXIT, &options->detailed_exit },
        { WORD_ONLINE, &options->online },
        { WORD_OFFLINE, &options->offline },
    };

    for (size_t i = 0; i < DR_COUNT(switches); i++)
        if (switches[i].word == word)
            *switches[i].field = true;
}

static void take_command_word(struct dr_options *options, int word)
{
    if (word == WORD_FIX)
        options->command = DR_COMMAND_FIX;
    else if (word == 'h')
        options->command = DR_COMMAND_HELP;
    else if (word == WORD_VERSION)
        options->command = DR_COMMAND_VERSION;
    else if (word == WORD_PRINT_SCHEMA)
        options->command = DR_COMMAND_SCHEMA;
}

static int take_operands(struct dr_options *options, int count, char **operands, struct dr_error *error)
{
    if (count == 0)
        return 0;
    for (size_t i = 0; i < DR_COUNT(commands); i++) {
        if (strcmp(commands[i].word, operands[0]) != 0)
            continue;
        if (options->command != DR_COMMAND_LOOK && options->command != DR_COMMAND_HELP)
            return dr_error_set(error, -EINVAL, "\"%s\" does not go with --fix", operands[0]);
        if (options->command != DR_COMMAND_HELP)
            options->command = commands[i].command;
        if (count > (commands[i].takes_operand ? 2 : 1))
            return dr_error_set(error, -EINVAL, "\"%s\": too many words (a message goes in quotes)", operands[0]);
        if (count == 1 && commands[i].needs_operand)
            return dr_error_set(error, -EINVAL, "\"%s\" wants one more word; see openclaw-doctor --help", operands[0]);
        options->operand = count == 2 ? operands[1] : NULL;
        return 0;
    }
    return dr_error_set(error, -EINVAL, "\"%s\" is not a command; see openclaw-doctor --help", operands[0]);
}

static int check_together(const struct dr_options *options, struct dr_error *error)
{
    if (options->dry_run && options->command != DR_COMMAND_FIX && options->command != DR_COMMAND_APPLY)
        return dr_error_set(error, -EINVAL, "--dry-run goes with --fix");
    if (options->root && options->root[0] != '/')
        return dr_error_set(error, -EINVAL, "--root wants an absolute path");
    if (options->detailed_exit && options->command != DR_COMMAND_PLAN)
        return dr_error_set(error, -EINVAL, "--detailed-exit goes with plan");
    if (options->offline && (options->online || options->deep != DR_DEEP_NOT || options->gateway_url))
        return dr_error_set(error, -EINVAL, "--offline does not go with --online, --deep or --gateway-url");
    return 0;
}

int dr_options_parse(int argc, char **argv, struct dr_options *ret_options, struct dr_error *error)
{
    struct dr_options options = { .severity_min = DR_WARNING,
                                  .exit_style = "lint",
                                  .timeout_ms = 60000,
                                  .check_timeout_ms = 10000,
                                  .probe_timeout_ms = DR_PROBE_TIMEOUT_MS };
    int word;

    /* First of all, so that even a usage error is answered in the asked form. */
    for (int i = 1; i < argc; i++) {
        static const char style[] = "--exit-style";
        size_t length = sizeof(style) - 1;

        if (strcmp(argv[i], "--json") == 0)
            ret_options->json = true;
        else if (strcmp(argv[i], style) == 0 && i + 1 < argc)
            (void)parse_exit_style(ret_options, argv[i + 1], NULL);
        else if (strncmp(argv[i], style, length) == 0 && argv[i][length] == '=')
            (void)parse_exit_style(ret_options, argv[i] + length + 1, NULL);
    }
    opterr = 0;
    optind = 1;
    while ((word = getopt_long(argc, argv, ":yqvho:", words, NULL)) != -1) {
        if (word == '?')
            return dr_error_set(error, -EINVAL, "\"%s\" is not an option; see openclaw-doctor --help", argv[optind - 1]);
        if (word == ':')
            return dr_error_set(error, -EINVAL, "\"%s\" wants a value", argv[optind - 1]);
        int r = take_value(&options, word, optarg, error);

        if (r < 0)
            return r;
        take_switch(&options, word);
        take_command_word(&options, word);
    }
    int r = take_operands(&options, argc - optind, argv + optind, error);

    if (r >= 0)
        r = check_together(&options, error);
    if (r >= 0)
        *ret_options = options;
    return r;
}
