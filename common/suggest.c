#include "common/suggest.h"

#include <ctype.h>
#include <string.h>

enum { WORD_MAX = 63 };

static size_t smallest(size_t a, size_t b, size_t c) {
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

// Levenshtein's distance, one row at a time.
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len) {
    size_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];
            row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_len];
}

const char *suggest(const char *word, const char *const *known, size_t count) {
    size_t len = strlen(word);
    if (len > WORD_MAX) return NULL;
    const char *best = NULL;
    size_t best_distance = len / 2 + 1; // further away than that is another word
    for (size_t i = 0; i < count; i++) {
        size_t known_len = strlen(known[i]);
        if (known_len > WORD_MAX) continue;
        size_t d = distance(word, len, known[i], known_len);
        if (d < best_distance) {
            best = known[i];
            best_distance = d;
        }
    }
    return best;
}

static size_t fold(const char *word, char folded[WORD_MAX + 1]) {
    size_t len = 0;
    for (; len < WORD_MAX && word[len] != '\0'; len++)
        folded[len] =
            word[len] == '-' || word[len] == ' ' ? '_' : (char)tolower((unsigned char)word[len]);
    folded[len] = '\0';
    return len;
}

// Whether one swap of neighbours makes one of the other.
static bool swapped(const char *a, const char *b) {
    size_t at = 0;
    while (a[at] != '\0' && a[at] == b[at])
        at++;
    return a[at] != '\0' && a[at + 1] != '\0' && a[at] == b[at + 1] && a[at + 1] == b[at] &&
           strcmp(a + at + 2, b + at + 2) == 0;
}

bool suggest_slip(const char *word, const char *known) {
    enum { SHORT = 4, LONG = 8 };
    char a[WORD_MAX + 1], b[WORD_MAX + 1];
    if (strlen(word) > WORD_MAX || strlen(known) > WORD_MAX) return false;
    size_t a_len = fold(word, a), b_len = fold(known, b);
    if (strcmp(a, b) == 0) return true;
    if (a_len < SHORT || b_len < SHORT) return false;
    return swapped(a, b) || distance(a, a_len, b, b_len) <= (b_len < LONG ? 1 : 2);
}
