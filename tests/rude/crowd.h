// All that do not behave, in a process of their own.
#pragma once

// usage: crowd SEED DIR API ADMIN DEVICES, the latter three as HOST:PORT. It writes the hosts of
// the rude devices to DIR/rude.json, says "devices", sends clients, and says "played" when each
// kind of them has come to its last act at each of its targets. They go on coming until SIGHUP: it
// says "left N connections" when all clients are gone. The devices stay until SIGTERM.
//
// What main() returns. argv begins with the seed.
int crowd_main(int argc, char **argv);
