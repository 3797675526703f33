// Seeded random numbers without state: a draw is a hash of what it is drawn for (seed, device,
// operation, attempt), so the order in which draws are made changes none of them.
#pragma once

#include <stdint.h>

uint64_t rng_hash(const char *s);                               // of a string
uint64_t rng_mix(uint64_t a, uint64_t b);                       // of two numbers, order matters
double rng_unit(uint64_t draw);                                 // in [0, 1)
uint64_t rng_range(uint64_t draw, uint64_t low, uint64_t high); // in [low, high], both included
