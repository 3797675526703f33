#include "bench/bench.h"

#include "common/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BAR_WIDTH = 30 };

struct table *bench_table(struct bench_result *result, const char *title,
                          const struct table_column *columns, size_t count) {
    assert(result->tables_count < BENCH_TABLES_MAX);
    struct table *table = &result->tables[result->tables_count++];
    table_init(table, title, columns, count);
    return table;
}

void bench_goal(struct bench_result *result, struct bench_goal goal) {
    assert(result->goals_count < BENCH_GOALS_MAX);
    result->goals[result->goals_count++] = goal;
}

struct buf *bench_plot(struct bench_result *result, const char *name, unsigned panels) {
    assert(result->plots_count < BENCH_PLOTS_MAX);
    struct bench_plot *plot = &result->plots[result->plots_count++];
    plot->name = name;
    plot->panels = panels;
    return &plot->script;
}

void bench_note(struct bench_result *result, const char *format, ...) {
    char text[1024];
    va_list args;
    assert(result->notes_count < BENCH_NOTES_MAX);
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    result->notes[result->notes_count++] = mem_strdup(text);
}

void bench_result_deinit(struct bench_result *result) {
    for (size_t i = 0; i < result->tables_count; i++)
        table_deinit(&result->tables[i]);
    for (size_t i = 0; i < result->plots_count; i++)
        buf_deinit(&result->plots[i].script);
    for (size_t i = 0; i < result->notes_count; i++)
        free(result->notes[i]);
    *result = (struct bench_result){0};
}

void bench_progress(const struct bench_config *config, size_t done, size_t total,
                    const char *format, ...) {
    if (!config->progress) return;
    bool terminal = isatty(STDERR_FILENO);
    if (terminal) fputs("\r\033[K", stderr);
    if (total > 0) {
        int filled = (int)(done * BAR_WIDTH / total);
        for (int i = 0; terminal && i < BAR_WIDTH; i++)
            fputs(i < filled ? "=" : " ", stderr);
        fprintf(stderr, "%s%zu/%zu ", terminal ? "| " : "", done, total);
    }
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    if (!terminal) fputs("\n", stderr);
    fflush(stderr);
}
