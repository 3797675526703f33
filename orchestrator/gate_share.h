// What a node that shares the jobs with others may take of them (gate_nodes.h). Pure.
#pragma once

#include <stdbool.h>

struct gate;

// It was looked anew who has which shards (config.held->owners), and heard what others have in
// hand: that says how many of a job's own workers are this node's.
void gate_share_workers(struct gate *g);

// So many contacts in a row found nobody, in several groups, that it may well be this node that is
// cut off, while another is at work. Nothing begins then, and whoever is not found is put back.
bool gate_is_cut_off(const struct gate *g);
