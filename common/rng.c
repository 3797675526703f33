#include "common/rng.h"

// The finaliser of splitmix64 (Steele, Lea, Flood 2014): every bit of the input moves every bit
// out.
static uint64_t scramble(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

uint64_t rng_mix(uint64_t a, uint64_t b) {
    return scramble(scramble(a + 0x9e3779b97f4a7c15U) + b);
}

uint64_t rng_hash(const char *s) {
    uint64_t hash = 0xcbf29ce484222325U; // FNV-1a, then scrambled
    for (; *s != '\0'; s++)
        hash = (hash ^ (unsigned char)*s) * 0x100000001b3U;
    return scramble(hash);
}

double rng_unit(uint64_t draw) {
    return (double)(draw >> 11) * 0x1p-53;
}

uint64_t rng_range(uint64_t draw, uint64_t low, uint64_t high) {
    return low + (uint64_t)(rng_unit(draw) * (double)(high - low + 1));
}
