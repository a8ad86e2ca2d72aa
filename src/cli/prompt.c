#include "cli/prompt.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { MOST_TEXT = 1024 * 1024, SHOWN_OPERATIONS = 12 };

bool dr_prompt_possible(const struct dr_session *session)
{
    const struct dr_options *options = session->options;

    return !options->yes && !options->non_interactive && !options->json && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* Line by line, so that a preview cannot move the cursor. */
static void say(const char *indent, const char *text)
{
    while (text && *text) {
        _cleanup_buffer_ struct dr_buffer safe = DR_BUFFER(MOST_TEXT);
        size_t length = strcspn(text, "\n");

        if (dr_text_append_safe(&safe, text, length) >= 0)
            (void)fprintf(stderr, "%s%s\n", indent, dr_buffer_text(&safe));
        text += length + (text[length] == '\n');
    }
}

static bool belongs_to(const cJSON *operation, const char *fingerprint)
{
    const char *own = dr_json_text(operation, "finding");

    return own && fingerprint && strcmp(own, fingerprint) == 0;
}

static void show_operations(const cJSON *operations, const char *fingerprint)
{
    const cJSON *operation;
    unsigned shown = 0;
    unsigned count = 0;

    cJSON_ArrayForEach (operation, operations) {
        if (!belongs_to(operation, fingerprint))
            continue;
        if (++count > SHOWN_OPERATIONS)
            continue;
        shown++;
        say("  - ", dr_json_text(operation, "summary"));
        say("      ", dr_json_text(operation, "preview"));
        if (dr_json_text(operation, "restart"))
            say("      afterwards: ", dr_json_text(operation, "restart"));
    }
    if (count > shown)
        (void)fprintf(stderr, "  ... and %u more\n", count - shown);
}

enum dr_answer dr_prompt_repair(const cJSON *finding, const cJSON *operations)
{
    const cJSON *fix = cJSON_GetObjectItemCaseSensitive(finding, "fix");
    char *line = NULL;
    size_t size = 0;
    enum dr_answer answer = DR_ANSWER_NO;

    (void)fprintf(stderr, "\n");
    say("", dr_json_text(finding, "message"));
    show_operations(operations, dr_json_text(finding, "fingerprint"));
    say("  Not done unasked, because: ", dr_json_text(fix, "why"));
    (void)fprintf(stderr, "Do this? [y]es, [N]o, [a]ll of these, [q]uit: ");
    if (getline(&line, &size, stdin) > 0)
        switch (line[0]) {
        case 'y':
        case 'Y':
            answer = DR_ANSWER_YES;
            break;
        case 'a':
        case 'A':
            answer = DR_ANSWER_ALL;
            break;
        case 'q':
        case 'Q':
            answer = DR_ANSWER_QUIT;
            break;
        default:
            break;
        }
    free(line);
    return answer;
}
