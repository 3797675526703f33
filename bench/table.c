#include "bench/table.h"

#include "common/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_MAX = 160 };

void table_init(struct table *t, const char *title, const struct table_column *columns,
                size_t count) {
    *t = (struct table){.title = title, .columns = columns, .columns_count = count};
}

void table_deinit(struct table *t) {
    for (size_t i = 0; i < t->rows * t->columns_count; i++)
        free(t->cells[i].text);
    free(t->cells);
    *t = (struct table){0};
}

void table_row(struct table *t, ...) {
    va_list args;
    t->cells = mem_resize(t->cells, (t->rows + 1) * t->columns_count, sizeof *t->cells);
    struct table_cell *row = &t->cells[t->rows++ * t->columns_count];
    va_start(args, t);
    for (size_t i = 0; i < t->columns_count; i++) {
        row[i] = (struct table_cell){0};
        if (t->columns[i].decimals == TABLE_TEXT)
            row[i].text = mem_strdup(va_arg(args, const char *));
        else
            row[i].number = va_arg(args, double);
    }
    va_end(args);
}

static const struct table_cell *cell(const struct table *t, size_t row, size_t column) {
    return &t->cells[row * t->columns_count + column];
}

double table_number(const struct table *t, size_t row, size_t column) {
    return cell(t, row, column)->number;
}

const char *table_text(const struct table *t, size_t row, size_t column) {
    return cell(t, row, column)->text;
}

static void format(const struct table *t, size_t row, size_t column, char text[CELL_MAX]) {
    const struct table_cell *c = cell(t, row, column);
    if (c->text != NULL)
        snprintf(text, CELL_MAX, "%s", c->text);
    else if (isnan(c->number))
        snprintf(text, CELL_MAX, "-");
    else
        snprintf(text, CELL_MAX, "%.*f", t->columns[column].decimals, c->number);
}

// --- for a terminal, and Markdown, which is the same with bars

static size_t width_of(const struct table *t, size_t column) {
    char text[CELL_MAX];
    size_t width = strlen(t->columns[column].name);
    for (size_t row = 0; row < t->rows; row++) {
        format(t, row, column, text);
        if (strlen(text) > width) width = strlen(text);
    }
    return width;
}

static void pad(const struct table *t, size_t column, const char *text, struct buf *out) {
    int width = (int)width_of(t, column);
    bool left = t->columns[column].decimals == TABLE_TEXT;
    buf_addf(out, left ? "%-*s" : "%*s", width, text);
}

static void write_lines(const struct table *t, const char *open, const char *between,
                        const char *close, bool ruler, struct buf *out) {
    char text[CELL_MAX];
    for (size_t column = 0; column < t->columns_count; column++) {
        buf_adds(out, column == 0 ? open : between);
        pad(t, column, t->columns[column].name, out);
    }
    buf_adds(out, close);
    for (size_t column = 0; ruler && column < t->columns_count; column++)
        buf_adds(out, t->columns[column].decimals == TABLE_TEXT ? "|---" : "|---:");
    if (ruler) buf_adds(out, "|\n");
    for (size_t row = 0; row < t->rows; row++) {
        for (size_t column = 0; column < t->columns_count; column++) {
            buf_adds(out, column == 0 ? open : between);
            format(t, row, column, text);
            pad(t, column, text, out);
        }
        buf_adds(out, close);
    }
}

void table_write(const struct table *t, struct buf *out) {
    buf_addf(out, "%s\n", t->title);
    write_lines(t, "  ", "  ", "\n", false, out);
}

void table_write_markdown(const struct table *t, struct buf *out) {
    buf_addf(out, "%s\n\n", t->title);
    write_lines(t, "| ", " | ", " |\n", true, out);
}

// --- for programs

static void write_csv_text(const char *text, struct buf *out) {
    if (strpbrk(text, ",\"\n") == NULL) {
        buf_adds(out, text);
        return;
    }
    buf_adds(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"') buf_adds(out, "\"");
        buf_add(out, text, 1);
    }
    buf_adds(out, "\"");
}

void table_write_csv(const struct table *t, struct buf *out) {
    for (size_t column = 0; column < t->columns_count; column++) {
        if (column > 0) buf_adds(out, ",");
        write_csv_text(t->columns[column].name, out);
    }
    buf_adds(out, "\r\n");
    for (size_t row = 0; row < t->rows; row++) {
        for (size_t column = 0; column < t->columns_count; column++) {
            const struct table_cell *c = cell(t, row, column);
            if (column > 0) buf_adds(out, ",");
            if (c->text != NULL)
                write_csv_text(c->text, out);
            else if (!isnan(c->number))
                buf_addf(out, "%.9g", c->number);
        }
        buf_adds(out, "\r\n");
    }
}

cJSON *table_json(const struct table *t) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "title", t->title);
    cJSON *rows = cJSON_AddArrayToObject(json, "rows");
    for (size_t row = 0; row < t->rows; row++) {
        cJSON *one = cJSON_CreateObject();
        for (size_t column = 0; column < t->columns_count; column++) {
            const struct table_cell *c = cell(t, row, column);
            const char *name = t->columns[column].name;
            if (c->text != NULL)
                cJSON_AddStringToObject(one, name, c->text);
            else if (isnan(c->number))
                cJSON_AddNullToObject(one, name);
            else
                cJSON_AddNumberToObject(one, name, c->number);
        }
        cJSON_AddItemToArray(rows, one);
    }
    return json;
}
