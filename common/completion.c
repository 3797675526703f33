#include "common/completion.h"

#include <stdio.h>
#include <string.h>

enum value_kind { VALUE_NONE, VALUE_ANY, VALUE_WORDS, VALUE_FILE };

// What stands for a value in --help says what it may be.
static enum value_kind kind_of(const char *arg) {
    if (arg == NULL) return VALUE_NONE;
    if (strstr(arg, "FILE") != NULL) return VALUE_FILE;
    const bool is_words =
        strchr(arg, '|') != NULL && strspn(arg, "abcdefghijklmnopqrstuvwxyz-|") == strlen(arg);
    return is_words ? VALUE_WORDS : VALUE_ANY;
}

static void add_words(struct buf *out, const char *alternatives) { // "a|b" as "a b"
    for (const char *c = alternatives; *c != '\0'; c++)
        buf_add(out, *c == '|' ? " " : c, 1);
}

static size_t commands_count(const struct options *program) {
    return program->commands == NULL ? 0 : program->commands->count;
}

// --- bash

static void add_bash_options(struct buf *out, const struct options *o) {
    for (size_t i = 0; i < o->count; i++)
        buf_addf(out, "--%s ", o->specs[i].name);
    buf_addf(out, "--help%s", options_has(o, "version") ? "" : " --version");
    if (kind_of(o->arguments) != VALUE_WORDS) return;
    buf_adds(out, " ");
    add_words(out, o->arguments);
}

// After an option with a value that value is asked for, and nothing else.
static void add_bash_values(struct buf *out, const struct options *o) {
    for (size_t i = 0; i < o->count; i++) {
        const char *arg = o->specs[i].arg;
        const enum value_kind kind = kind_of(arg);
        if (kind == VALUE_NONE) continue;
        buf_addf(out, "    '%s --%s') ", o->command == NULL ? "" : o->command, o->specs[i].name);
        if (kind == VALUE_WORDS) {
            buf_adds(out, "words='");
            add_words(out, arg);
            buf_adds(out, "' ;;\n");
        } else {
            buf_adds(out, kind == VALUE_FILE ? "COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
                                             : "return ;;\n");
        }
    }
}

void completion_bash(const struct options *program, struct buf *out) {
    const char *name = program->program;
    const size_t commands = commands_count(program);
    buf_addf(out,
             "# %s: completion for bash\n_%s() {\n"
             "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
             "    local command=${COMP_WORDS[1]} words=\n"
             "    if [ \"$COMP_CWORD\" -lt 2 ] || [ \"${command#-}\" != \"$command\" ]; then "
             "command=; fi\n"
             "    COMPREPLY=()\n"
             "    case \"$command $prev\" in\n",
             name, name);
    add_bash_values(out, program);
    for (size_t i = 0; i < commands; i++)
        add_bash_values(out, &program->commands->list[i]);
    buf_adds(out, "    *)\n        case $command in\n");
    for (size_t i = 0; i < commands; i++) {
        buf_addf(out, "        %s) words='", program->commands->list[i].command);
        add_bash_options(out, &program->commands->list[i]);
        buf_adds(out, "' ;;\n");
    }
    buf_adds(out, "        '') words='");
    add_bash_options(out, program);
    buf_adds(out, "' ;;\n        esac\n        if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"$words");
    for (size_t i = 0; i < commands; i++)
        buf_addf(out, " %s", program->commands->list[i].command);
    buf_addf(out,
             "\"; fi\n        ;;\n    esac\n"
             "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
             "complete -F _%s %s\n",
             name, name);
}

// --- zsh

// Within '...', and within a word of _arguments or _describe.
static void add_quoted(struct buf *out, const char *text) {
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'')
            buf_adds(out, "'\\'");
        else if (strchr("[]:\\", *c) != NULL)
            buf_adds(out, "\\");
        buf_add(out, c, 1);
    }
}

static void add_zsh_value(struct buf *out, const char *arg) {
    const enum value_kind kind = kind_of(arg);
    if (kind == VALUE_NONE) return;
    buf_adds(out, ":");
    add_quoted(out, arg);
    buf_adds(out, ":");
    if (kind == VALUE_FILE) buf_adds(out, "_files");
    if (kind != VALUE_WORDS) return;
    buf_adds(out, "(");
    add_words(out, arg);
    buf_adds(out, ")");
}

static void add_zsh_options(struct buf *out, const struct options *o, const char *indent) {
    buf_addf(out, "%s_arguments \\\n", indent);
    for (size_t i = 0; i < o->count; i++) {
        buf_addf(out, "%s    '*--%s[", indent, o->specs[i].name);
        add_quoted(out, o->specs[i].help);
        buf_adds(out, "]");
        add_zsh_value(out, o->specs[i].arg);
        buf_adds(out, "' \\\n");
    }
    if (o->arguments != NULL) {
        buf_addf(out, "%s    '1", indent);
        add_zsh_value(out, o->arguments);
        buf_adds(out, "' \\\n");
    }
    if (!options_has(o, "version"))
        buf_addf(out, "%s    '--version[print the version and exit]' \\\n", indent);
    buf_addf(out, "%s    '--help[print this and exit]'\n", indent);
}

void completion_zsh(const struct options *program, struct buf *out) {
    const char *name = program->program;
    buf_addf(out,
             "#compdef %s\n_%s() {\n"
             "    local -a commands\n"
             "    if (( CURRENT == 2 )) || [[ $words[2] == -* ]]; then\n"
             "        commands=(\n",
             name, name);
    for (size_t i = 0; i < commands_count(program); i++) {
        buf_addf(out, "            '%s:", program->commands->list[i].command);
        add_quoted(out, program->commands->list[i].summary);
        buf_adds(out, "'\n");
    }
    buf_adds(out, "        )\n        (( CURRENT == 2 )) && _describe command commands\n");
    add_zsh_options(out, program, "        ");
    buf_adds(out, "        return\n    fi\n"
                  "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n"
                  "    case $command in\n");
    for (size_t i = 0; i < commands_count(program); i++) {
        buf_addf(out, "    %s)\n", program->commands->list[i].command);
        add_zsh_options(out, &program->commands->list[i], "        ");
        buf_adds(out, "        ;;\n");
    }
    buf_addf(out,
             "    esac\n}\n"
             "if [[ $funcstack[1] == _%s ]]; then _%s \"$@\"; else compdef _%s %s; fi\n",
             name, name, name, name);
}

// --- fish

static void add_fish_text(struct buf *out, const char *text) { // a word in '...', on one line
    buf_adds(out, "'");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'' || *c == '\\') buf_adds(out, "\\");
        buf_add(out, *c == '\n' ? " " : c, 1);
    }
    buf_adds(out, "'");
}

static void add_fish_option(struct buf *out, const char *begin, const char *name, const char *arg,
                            const char *help) {
    const enum value_kind kind = kind_of(arg);
    buf_addf(out, "%s -l %s", begin, name);
    if (kind == VALUE_FILE)
        buf_adds(out, " -r -F");
    else if (kind != VALUE_NONE)
        buf_adds(out, " -x");
    if (kind == VALUE_WORDS) {
        buf_adds(out, " -a '");
        add_words(out, arg);
        buf_adds(out, "'");
    }
    buf_adds(out, " -d ");
    add_fish_text(out, help);
    buf_adds(out, "\n");
}

static void add_fish_options(struct buf *out, const struct options *o) {
    char begin[160];
    snprintf(begin, sizeof begin, "complete -c %s -n '__%s_at \"%s\"'", o->program, o->program,
             o->command == NULL ? "" : o->command);
    for (size_t i = 0; i < o->count; i++)
        add_fish_option(out, begin, o->specs[i].name, o->specs[i].arg, o->specs[i].help);
    if (!options_has(o, "version"))
        add_fish_option(out, begin, "version", NULL, "print the version and exit");
    add_fish_option(out, begin, "help", NULL, "print this and exit");
    if (kind_of(o->arguments) != VALUE_WORDS) return;
    buf_addf(out, "%s -a '", begin);
    add_words(out, o->arguments);
    buf_adds(out, "'\n");
}

// Options of a command are for lines that begin with it, those of the program for all others.
void completion_fish(const struct options *program, struct buf *out) {
    const char *name = program->program;
    buf_addf(out,
             "# %s: completion for fish\n"
             "function __%s_at\n"
             "    set -l words (commandline -opc)\n"
             "    if test -n \"$argv[1]\"\n"
             "        test \"$words[2]\" = \"$argv[1]\"\n"
             "    else\n"
             "        test (count $words) -lt 2; or string match -q -- '-*' $words[2]\n"
             "    end\n"
             "end\n"
             "complete -c %s -f\n",
             name, name, name);
    for (size_t i = 0; i < commands_count(program); i++) {
        const struct options *o = &program->commands->list[i];
        buf_addf(out, "complete -c %s -n 'test (count (commandline -opc)) -lt 2' -a %s -d ", name,
                 o->command);
        add_fish_text(out, o->summary);
        buf_adds(out, "\n");
    }
    add_fish_options(out, program);
    for (size_t i = 0; i < commands_count(program); i++)
        add_fish_options(out, &program->commands->list[i]);
}
