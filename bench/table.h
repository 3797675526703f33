// Rows of figures, for a terminal, CSV, JSON and Markdown.
#pragma once

#include "common/buf.h"

#include <cjson/cJSON.h>
#include <stddef.h>

enum { TABLE_TEXT = -1 };

struct table_column {
    const char *name;
    int decimals; // of numbers; or TABLE_TEXT
};

struct table_cell {
    char *text; // of a text column
    double number;
};

struct table {
    const char *title;
    const struct table_column *columns;
    size_t columns_count;
    struct table_cell *cells; // row by row
    size_t rows;
};

// title and columns are borrowed.
void table_init(struct table *t, const char *title, const struct table_column *columns,
                size_t count);
void table_deinit(struct table *t);

// One argument a column: const char * for text (copied), double for a number; NAN where there is
// none.
void table_row(struct table *t, ...);

double table_number(const struct table *t, size_t row, size_t column);
const char *table_text(const struct table *t, size_t row, size_t column);

// Each appends.
void table_write(const struct table *t, struct buf *out); // aligned, for a terminal
void table_write_markdown(const struct table *t, struct buf *out);
void table_write_csv(const struct table *t, struct buf *out); // RFC 4180
cJSON *table_json(const struct table *t); // {"title", "rows": [{column: value}]}
