// What they do, and what is to be said of them. Where a text has a star, two ends are at work at
// the same time and either may be first; everything else is to the letter.
#include "common/count.h"
#include "tests/rude/device.h"

#define HEAR   DO(HEAR)
#define ANSWER DO(ANSWER)
#define OBEY   DO(OBEY)
#define HALF   DO(ANSWER_HALF)
#define WAIT   DO(WAIT)
#define STALL  DO(STALL)
#define CLOSE  DO(CLOSE)
#define RESET  DO(RESET)
#define SHUT   DO(SHUT)

// Calls that are answered as they should be.
#define LOGIN   HEAR, ANSWER
#define VERSION HEAR, ANSWER
#define INSTALL HEAR, ANSWER
#define POLITE  ACTS(LOGIN)

#define TO(id)                       "{\"jsonrpc\": \"2.0\", \"id\": " id ", "
#define RESULT                       TO("$ID") "\"result\": "
#define OLD                          "{\"os_version\": \"5.2\", \"revision\": \"1\", \"full_version\": \"5.2.1\"}"
#define LOGGED_IN_AS(host, platform) "{\"hostname\": \"" host "\", \"platform\": \"" platform "\"}"
#define LOGGED_IN                    LOGGED_IN_AS("$HOST", "acmeos")

#define LOST_AT_INSTALL(how) "install_os_version: connection " how " by the device"
#define NOT_BACK             LOST_AT_INSTALL("reset") "; the device was not back within " DEVICE_INSTALL_TIMEOUT
#define NOT_INSTALLED        "; then get_version: the device runs 5.2.1, not " DEVICE_WANTED
#define NOT_JSON             "login: the answer is not JSON"
#define ANOTHER_ID           "login: the answer has another id than the question"
#define TOO_LONG             "the answer is longer than 65536 bytes"
#define NO_ANSWER            "no answer within " DEVICE_CALL_TIMEOUT
#define NO_WHOLE             "no whole answer within " DEVICE_CALL_TIMEOUT
#define TLS                  "connect to 127.0.0.1:*: tls: "

#define LOST_BEHIND                                                                                \
    { "login: connection * by the device", "connect to 127.0.0.1:*: connection reset by peer" }

const struct device_kind device_kinds[] = {
    // --- there is none, or it does not listen
    {"refuses", ACTS(WAIT), .port = DEVICE_REFUSES,
     .says = {"connect to 127.0.0.1:*: connection refused"}},
    {"accepts-nobody", ACTS(WAIT), .port = DEVICE_HAS_NO_ROOM,
     .says = {"connect to 127.0.0.1:*: no connection within " DEVICE_CONNECT_TIMEOUT}},
    {"is-silent", ACTS(WAIT), .says = {"login: " NO_ANSWER}},
    {"does-not-read", ACTS(STALL), .port = DEVICE_TAKES_LITTLE, .says = {"login: " NO_ANSWER}},

    // --- it ends the connection
    {"closes-at-once", ACTS(CLOSE), .says = LOST_BEHIND},
    {"resets-at-once", ACTS(RESET), .says = LOST_BEHIND},
    {"closes-at-the-login", ACTS(HEAR, CLOSE), .says = {"login: connection closed by the device"}},
    {"resets-at-the-login", ACTS(HEAR, RESET), .says = {"login: connection reset by the device"}},
    {"closes-within-the-login", ACTS(HEAR, HALF, CLOSE),
     .says = {"login: connection closed by the device in mid-answer"}},
    {"resets-within-the-login", ACTS(HEAR, HALF, RESET),
     .says = {"login: connection reset by the device"}},
    {"closes-after-the-login", ACTS(LOGIN, CLOSE),
     .says = {"get_version: connection closed by the device"}},
    {"resets-after-the-login", ACTS(LOGIN, RESET),
     .says = {"get_version: connection reset by the device"}},
    {"shuts-after-the-login", ACTS(LOGIN, SHUT, WAIT),
     .says = {"get_version: connection closed by the device"}},
    {"closes-within-the-version", ACTS(LOGIN, HEAR, HALF, CLOSE),
     .says = {"get_version: connection closed by the device in mid-answer"}},
    {"resets-within-the-version", ACTS(LOGIN, HEAR, HALF, RESET),
     .says = {"get_version: connection reset by the device"}},
    {"closes-after-the-version", ACTS(LOGIN, VERSION, CLOSE),
     .says = {"install_os_version: connection * by the device*"}},
    {"resets-after-the-version", ACTS(LOGIN, VERSION, RESET),
     .says = {"install_os_version: connection * by the device*"}},
    {"closes-at-the-install", ACTS(LOGIN, VERSION, HEAR, CLOSE), .again = POLITE,
     .says = {LOST_AT_INSTALL("closed") NOT_INSTALLED}},
    {"resets-at-the-install", ACTS(LOGIN, VERSION, HEAR, RESET), .again = POLITE,
     .says = {LOST_AT_INSTALL("reset") NOT_INSTALLED}},
    {"closes-and-has-installed", ACTS(LOGIN, VERSION, HEAR, OBEY, CLOSE), .again = POLITE,
     .says = {DEVICE_SUCCESS}},
    {"closes-within-the-install", ACTS(LOGIN, VERSION, HEAR, HALF, CLOSE), .again = POLITE,
     .says = {DEVICE_SUCCESS}},
    {"resets-within-the-install", ACTS(LOGIN, VERSION, HEAR, HALF, RESET), .again = POLITE,
     .says = {DEVICE_SUCCESS}},
    {"closes-after-the-install", ACTS(LOGIN, VERSION, INSTALL, CLOSE), .again = POLITE,
     .says = {DEVICE_SUCCESS}},
    {"shuts-after-the-install", ACTS(LOGIN, VERSION, INSTALL, SHUT), .again = POLITE,
     .says = {DEVICE_SUCCESS}},
    {"closes-before-the-logout", ACTS(LOGIN, VERSION, INSTALL, VERSION, CLOSE), .again = POLITE,
     .says = {DEVICE_SUCCESS}},
    {"answers-and-hears-no-more", ACTS(HEAR, DO(DEAFEN), ANSWER, VERSION, CLOSE),
     .says = {"install_os_version: connection * by the device*"}},

    // --- it is slow, or does not stop
    {"drips", ACTS(DRIP(TALK_TURN_MS), LOGIN), .says = {DEVICE_SUCCESS}},
    {"drips-too-slowly", ACTS(DRIP(1000), LOGIN), .says = {"login: " NO_WHOLE}},
    {"drips-spaces", ACTS(DRIP(20), HEAR, FLOOD(" ")), .says = {"login: " NO_WHOLE}},
    {"floods-without-a-line", ACTS(FLOOD("{\"jsonrpc\": ")), .says = {"login: " TOO_LONG}},
    {"floods-with-lines", ACTS(FLOOD("{\"jsonrpc\": \"2.0\", \"method\": \"alarm\"}\n")),
     .says = {ANOTHER_ID}},
    {"floods-with-empty-lines", ACTS(FLOOD("\n")), .says = {NOT_JSON}},
    {"floods-after-the-login", ACTS(LOGIN, HEAR, FLOOD("x")), .says = {"get_version: " TOO_LONG}},
    {"floods-at-the-install", ACTS(LOGIN, VERSION, HEAR, FLOOD("x")), .again = POLITE,
     .says = {"install_os_version: " TOO_LONG NOT_INSTALLED}},

    // --- it says what nobody has asked
    {"speaks-first", ACTS(SAY(TO("1") "\"result\": " LOGGED_IN "}\n")), .says = {ANOTHER_ID}},
    {"answers-twice", ACTS(LOGIN, HEAR, ANSWER, ANSWER),
     .says = {"get_version: more came behind the answer"}},
    {"answers-the-login-twice", ACTS(HEAR, ANSWER, ANSWER),
     .says = {"get_version: the answer has another id than the question"}},
    {"answers-what-comes-next", ACTS(LOGIN, VERSION, SAY(TO("$NEXT") "\"result\": " OLD "}\n")),
     .says = {"get_version: more came behind the answer"}},
    {"answers-in-another-order",
     ACTS(HEAR, SAY(TO("$NEXT") "\"result\": " OLD "}\n"), ANSWER, WAIT),
     .says = {"get_version: " NO_ANSWER}},
    {"passes-the-login-over", ACTS(HEAR, HEAR, ANSWER, CLOSE),
     .says = {"login: no answer, though the next call was answered"}},
    {"asks-back", ACTS(HEAR, SAY(TO("$ID") "\"method\": \"login\", \"params\": {}}\n")),
     .says = {"login: the answer has neither a result nor an error, or both"}},

    // --- it is none of ACME's
    {"is-an-ssh-server", ACTS(SAY("SSH-2.0-OpenSSH_9.2p1\r\n"), WAIT), .says = {NOT_JSON}},
    {"is-a-telnet-server", ACTS(SAY("\xff\xfd\x18\xff\xfd\x20\r\nlogin: "), WAIT),
     .says = {NOT_JSON}},
    {"is-an-http-server",
     ACTS(HEAR, SAY("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), CLOSE),
     .says = {NOT_JSON}},
    {"is-a-tls-server", ACTS(HEAR, SAY("\x15\x03\x03\x00\x02\x02\x46"), CLOSE),
     .says = {"login: the device speaks TLS, and the inventory does not say tls: true"}},
    {"says-server-hello",
     ACTS(SAY("\x16\x03\x03\x00\x2c\x02\x00\x00\x28\x03\x03"), TIMES(32, "\x5a"),
          SAY("\x00\x13\x01\x00\x00"), WAIT),
     .says = {"login: " NO_WHOLE}},
    {"is-another-host", ACTS(HEAR, SAY(RESULT LOGGED_IN_AS("edge00.earth", "acmeos") "}\n"), WAIT),
     .says = {"login: asked for is-another-host.rude but reached edge00.earth"}},
    {"is-another-platform", ACTS(HEAR, SAY(RESULT LOGGED_IN_AS("$HOST", "panos") "}\n"), WAIT),
     .says = {"login: expected the platform acmeos but reached panos"}},

    // --- it says what is no answer
    {"makes-noise", ACTS(HEAR, SAY("?"), NOISE(8000), SAY("\n"), WAIT), .says = {NOT_JSON}},
    {"says-nul", ACTS(HEAR, SAY("\0\0\0\0\n")), .says = {NOT_JSON}},
    {"says-nul-behind-it", ACTS(HEAR, SAY(RESULT LOGGED_IN "}\0\n")), .says = {NOT_JSON}},
    {"says-nul-in-a-text", ACTS(HEAR, SAY(RESULT LOGGED_IN_AS("$HOST", "acmeos\\u0000x") "}\n")),
     .says = {NOT_JSON}},
    {"returns-the-carriage",
     ACTS(HEAR, SAY("{\r\"jsonrpc\":\r\"2.0\",\r\"id\": $ID,\r\"result\":\r" LOGGED_IN "\r}\r\n")),
     .says = {DEVICE_SUCCESS}},
    {"feeds-no-line", ACTS(HEAR, SAY(RESULT LOGGED_IN "}\r"), WAIT), .says = {"login: " NO_WHOLE}},
    {"writes-latin-1", ACTS(HEAR, SAY(RESULT LOGGED_IN_AS("z\xfcrich", "acmeos") "}\n")),
     .says = {NOT_JSON}},
    {"writes-overlong-utf-8", ACTS(HEAR, SAY(RESULT LOGGED_IN_AS("\xc0\xaf", "acmeos") "}\n")),
     .says = {NOT_JSON}},
    {"marks-its-bytes", ACTS(HEAR, SAY("\xef\xbb\xbf" RESULT LOGGED_IN "}\n")), .says = {NOT_JSON}},
    {"nests-arrays", ACTS(HEAR, TIMES(10000, "["), TIMES(10000, "]"), SAY("\n")),
     .says = {NOT_JSON}},
    {"nests-objects", ACTS(HEAR, TIMES(9000, "{\"a\":"), SAY("1"), TIMES(9000, "}"), SAY("\n")),
     .says = {NOT_JSON}},
    {"nests-without-an-end", ACTS(HEAR, TIMES(10000, "[{\"a\":"), SAY("\n")), .says = {NOT_JSON}},
    {"says-a-key-twice", ACTS(HEAR, SAY(TO("$ID") "\"id\": $ID, \"result\": " LOGGED_IN "}\n")),
     .says = {NOT_JSON}},
    {"counts-to-infinity", ACTS(HEAR, SAY(TO("1e999") "\"result\": " LOGGED_IN "}\n")),
     .says = {ANOTHER_ID}},
    {"counts-for-long",
     ACTS(HEAR, SAY("{\"jsonrpc\": \"2.0\", \"id\": "), TIMES(60000, "9"),
          SAY(", \"result\": {}}\n")),
     .says = {ANOTHER_ID, NOT_JSON}},
    {"writes-its-id-as-text", ACTS(HEAR, SAY(TO("\"$ID\"") "\"result\": " LOGGED_IN "}\n")),
     .says = {ANOTHER_ID}},
    {"writes-half-an-id", ACTS(HEAR, SAY(TO("$ID.5") "\"result\": " LOGGED_IN "}\n")),
     .says = {ANOTHER_ID}},
    {"writes-its-id-with-a-point", ACTS(HEAR, SAY(TO("$ID.0") "\"result\": " LOGGED_IN "}\n")),
     .says = {DEVICE_SUCCESS}},
    {"has-an-id-of-64-bits",
     ACTS(HEAR, SAY(TO("18446744073709551616") "\"result\": " LOGGED_IN "}\n")),
     .says = {ANOTHER_ID}},
    {"has-an-id-below-zero", ACTS(HEAR, SAY(TO("-$ID") "\"result\": " LOGGED_IN "}\n")),
     .says = {ANOTHER_ID}},
    {"has-no-id", ACTS(HEAR, SAY("{\"jsonrpc\": \"2.0\", \"result\": " LOGGED_IN "}\n")),
     .says = {ANOTHER_ID}},
    {"answers-an-array", ACTS(HEAR, SAY("[]\n")),
     .says = {"login: the answer is not JSON-RPC 2.0"}},
    {"answers-a-number", ACTS(HEAR, SAY("42\n")),
     .says = {"login: the answer is not JSON-RPC 2.0"}},
    {"answers-a-batch",
     ACTS(HEAR, SAY("[" RESULT LOGGED_IN "}, " TO("$NEXT") "\"result\": " OLD "}]\n")),
     .says = {"login: the answer is not JSON-RPC 2.0"}},
    {"has-a-result-and-an-error",
     ACTS(HEAR, SAY(RESULT LOGGED_IN ", \"error\": {\"code\": 1, \"message\": \"no\"}}\n")),
     .says = {"login: the answer has neither a result nor an error, or both"}},
    {"has-an-error-of-no-code", ACTS(HEAR, SAY(TO("$ID") "\"error\": {\"message\": \"no\"}}\n")),
     .says = {"login: the answer's error has no code or no message"}},
    {"has-an-array-as-result", ACTS(HEAR, SAY(RESULT "[]}\n")),
     .says = {"login: result: expected an object, not an array"}},
    {"has-an-empty-result", ACTS(HEAR, SAY(RESULT "{}}\n")),
     .says = {"login: result.hostname: missing"}},
    {"forges-lines-of-the-log",
     ACTS(HEAR, SAY(TO("$ID") "\"error\": {\"code\": 1, \"message\": "
                              "\"\\nERROR:2026-01-01 00:00:00,000:0:completed "
                              "host:edge00.earth:\\u001b[2J\\u2028\\r\\u0085no\"}}\n")),
     .says = {"login: ?ERROR:2026-01-01 00:00:00,000:0:completed host:edge00.earth:?\\[2J???no"}},
    {"tells-a-long-story",
     ACTS(HEAR, SAY(TO("$ID") "\"error\": {\"code\": 1, \"message\": \""), TIMES(6000, "and then "),
          SAY("\"}}\n")),
     .says = {"login: and then and then and then *"}},

    // --- its versions
    {"disagrees-with-itself",
     ACTS(LOGIN, HEAR,
          SAY(RESULT
              "{\"os_version\": \"5.2\", \"revision\": \"1\", \"full_version\": \"5.3.1\"}}\n")),
     .says = {"get_version: os_version 5.2 and revision 1 disagree with full_version 5.3.1"}},
    {"installs-already",
     ACTS(LOGIN, HEAR,
          SAY(RESULT "{\"os_version\": \"5.2\", \"revision\": \"1\", \"full_version\": \"5.2.1\", "
                     "\"installing\": \"9.9.9\"}}\n")),
     .says = {"get_version: installs 9.9.9 already"}},
    {"flaps", ACTS(LOGIN, VERSION, INSTALL, HEAR, SAY(RESULT OLD "}\n"), HEAR, ANSWER),
     .says = {"get_version: installed " DEVICE_WANTED " but the device runs 5.2.1"}},
    {"flaps-after-a-restart", ACTS(LOGIN, VERSION, HEAR, OBEY, RESET),
     .again = ACTS(LOGIN, HEAR, SAY(RESULT OLD "}\n")),
     .says = {LOST_AT_INSTALL("reset") NOT_INSTALLED}},

    // --- the install, and the way back
    {"installs-for-ever", ACTS(LOGIN, VERSION, HEAR, WAIT),
     .says = {"install_os_version: no answer within " DEVICE_INSTALL_TIMEOUT}},
    {"installs-under-another-id",
     ACTS(LOGIN, VERSION, HEAR, OBEY, SAY(TO("$NEXT") "\"result\": " OLD "}\n"), WAIT),
     .again = POLITE, .says = {DEVICE_SUCCESS}},
    {"never-comes-back", ACTS(LOGIN, VERSION, HEAR, OBEY, RESET), .again = ACTS(HEAR, RESET),
     .says = {NOT_BACK " (login: connection reset by the device)", NOT_BACK " (login: no answer)"}},
    {"comes-back-silent", ACTS(LOGIN, VERSION, HEAR, OBEY, RESET), .again = ACTS(WAIT),
     .says = {NOT_BACK " (login: no answer)"}},
    {"comes-back-flooding", ACTS(LOGIN, VERSION, HEAR, OBEY, RESET),
     .again = ACTS(HEAR, FLOOD("x")), .says = {LOST_AT_INSTALL("reset") "; then login: " TOO_LONG}},
    {"comes-back-as-another-platform", ACTS(LOGIN, VERSION, HEAR, OBEY, RESET),
     .again = ACTS(HEAR, SAY(RESULT LOGGED_IN_AS("$HOST", "panos") "}\n")),
     .says = {LOST_AT_INSTALL(
         "reset") "; then login: expected the platform acmeos but reached panos"}},
    {"comes-back-as-another-host", ACTS(LOGIN, VERSION, HEAR, OBEY, RESET),
     .again = ACTS(HEAR, SAY(RESULT LOGGED_IN_AS("edge00.earth", "acmeos") "}\n")),
     .says = {LOST_AT_INSTALL("reset") "; then login: asked for comes-back-as-another-host.rude "
                                       "but reached edge00.earth"}},
    {"refuses-to-log-out",
     ACTS(LOGIN, VERSION, INSTALL, VERSION, HEAR, SAY(RESULT "false}\n"), WAIT),
     .says = {DEVICE_SUCCESS}},
    {"has-not-done-after-the-logout",
     ACTS(LOGIN, VERSION, INSTALL, VERSION, HEAR, ANSWER, FLOOD("x")), .says = {DEVICE_SUCCESS}},
    {"urges", ACTS(HEAR, SAY(TO("$ID")), URGE("!"), SAY("\"result\": " LOGGED_IN "}\n")),
     .says = {DEVICE_SUCCESS}},

    // --- over TLS
    {"tls-and-speaks-plain", ACTS(DO(READ), SAY("{\"jsonrpc\": \"2.0\"}\n"), WAIT),
     .port = DEVICE_SPEAKS_TLS, .says = {TLS "the device does not speak TLS"}},
    {"tls-and-is-silent", ACTS(WAIT), .port = DEVICE_SPEAKS_TLS,
     .says = {TLS "no answer to the handshake in time: does the device speak TLS?"}},
    {"tls-and-closes", ACTS(DO(READ), CLOSE), .port = DEVICE_SPEAKS_TLS,
     .says = {TLS "connection closed by the device in the handshake"}},
    {"tls-and-resets", ACTS(DO(READ), RESET), .port = DEVICE_SPEAKS_TLS,
     .says = {TLS "connection lost in the handshake"}},
    {"tls-and-refuses", ACTS(DO(READ), SAY("\x15\x03\x03\x00\x02\x02\x28"), WAIT),
     .port = DEVICE_SPEAKS_TLS,
     .says = {TLS "the device refuses the handshake: Handshake failed (alert 40)"}},
    {"tls-and-floods", ACTS(DO(READ), FLOOD("\x16\x03\x03\x40\x00\x02")), .port = DEVICE_SPEAKS_TLS,
     .says = {TLS "*"}},
    {"tls-and-drips", ACTS(DRIP(500), DO(READ), FLOOD("\x16")), .port = DEVICE_SPEAKS_TLS,
     .says = {TLS "*"}},
};

const size_t device_kinds_count = COUNT(device_kinds);
