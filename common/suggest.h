// The known word nearest to a mistyped one, for errors that say what would be right.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// NULL where none is near. The words are borrowed; the answer is one of them.
const char *suggest(const char *word, const char *const *known, size_t count);

// Whether a word is likely to be the known one, misspelt: the same but for case, - and _, or one
// letter added, left out, changed or changed places with the next (two, in long words). Short words
// are never misspelt.
bool suggest_slip(const char *word, const char *known);
