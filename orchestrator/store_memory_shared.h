// The same memory for several nodes, under the rules of store_postgres.sql: for tests, and
// for those who play what happens to nodes. A handle is one node. Each that is opened is a new one
// over rows of its own; those that join it are beside it. The rows live as long as any handle does.
#pragma once

#include "orchestrator/store_back.h"

extern const struct store_back store_memory_shared;

// Another node, beside the one of db.
void store_memory_join(void *db, void **joined, long long wall_ms, struct store_found *found);
// The node gives up what it has, and writes no more; the handle still reads.
void store_memory_leave(void *db);
// The process of db ends without a word: the others find out.
void store_memory_crash(void *db);
// The server is started anew, by its own clock at that time.
void store_memory_restart(void *db, uint64_t now_ms);
void store_memory_set_time(void *db, uint64_t now_ms);

// For referees. holder: the id of the node whose the shard is; NULL: nobody's.
uint64_t store_memory_epoch(const void *db, uint16_t shard);
const char *store_memory_holder(const void *db, uint16_t shard);
bool store_memory_is_dead(const void *db);
uint64_t store_memory_beat(const void *db);
