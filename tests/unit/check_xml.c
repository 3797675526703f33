#include "common/xml.h"
#include "tests/unit/support.h"

Suite *check_xml(void);

static const struct {
    const char *text, *xml;
} cases[] = {
    {"", ""},
    {"leaf00.earth", "leaf00.earth"},
    {"a<b> & \"c\" 'd'\ne", "a&lt;b&gt; &amp; &quot;c&quot; 'd'&#10;e"},
    {"]]>", "]]&gt;"},
    {"caf\xc3\xa9 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xf0\x9f\x98\x80"},
    {"\x01\t\x1f\r", "????"},
    {"latin1 \xe9t\xe9", "latin1 ?t?"},
    {"cut \xe2\x82", "cut ??"},
    {"\xef\xbf\xbd \xef\xbf\xbe \xef\xbf\xbf", "\xef\xbf\xbd ? ?"},
};

START_TEST(a_text_is_written_so_that_xml_has_it) {
    struct buf out = {0};
    buf_adds(&out, "before ");
    xml_add(&out, cases[_i].text);
    ck_assert_str_eq(out.data + 7, cases[_i].xml);
    buf_deinit(&out);
}
END_TEST

Suite *check_xml(void) {
    Suite *suite = suite_create("xml");
    TCase *tcase = tcase_create("xml");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_text_is_written_so_that_xml_has_it, 0, (int)COUNT(cases));
    return suite;
}
