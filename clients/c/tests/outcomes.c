/*
 * What standin.h promises to tell of the effect of a call, whatever error it is that a program looks at: an order that
 * went out is never called "not_executed". It needs a service with the workers of the chaos suite (chaos-tests
 * sdk-worker), and a folder that it may write to.
 *
 *     outcomes ENDPOINT FOLDER
 */
#include "check.h"

/* What is known by the last error of a handle. */
static int known(standin_int64 handle, const char *wanted)
{
    DONE(handle, standin_error_outcome(handle, text, sizeof text, &needed));
    return is(wanted);
}

static void an_answer_that_cannot_be_read_was_executed(const char *endpoint, const char *folder)
{
    char file[1000];
    standin_int64 client, call, number, copied, total, question;
    standin_int32 truth;

    DONE(0, standin_open(endpoint, "ISO8859-1", LIMIT, &client));
    CODE(client, standin_call(client, "sdk.give_back", "{", LIMIT, &call), STANDIN_BAD_ARGUMENT);
    CHECK(known(client, "not_executed"));
    call = new_call(client, "sdk.give_back");
    CODE(call, standin_set_text(call, "[", ""), STANDIN_BAD_PATH);
    CHECK(known(call, "not_executed"));
    CODE(call, standin_get_int(call, "text", &number), STANDIN_BAD_STATE);
    CHECK(known(call, "not_executed"));
    DONE(call, standin_set_json(call, "euro", "\"10 \342\202\254\"", 8));
    DONE(call, standin_set_json(call, "vast", "18446744073709551615", 20));
    DONE(call, standin_set_text(call, "text", "a"));
    DONE(call, standin_send(call, LIMIT));

    CODE(call, standin_get_text(call, "euro", text, sizeof text, &needed), STANDIN_BAD_TEXT);
    CHECK(known(call, "executed"));
    CODE(call, standin_get_text_part(call, "euro", 0, text, sizeof text, &copied, &total), STANDIN_BAD_TEXT);
    CHECK(known(call, "executed"));
    CODE(call, standin_get_int(call, "text", &number), STANDIN_WRONG_TYPE);
    CHECK(known(call, "executed"));
    CODE(call, standin_get_bool(call, "text", &truth), STANDIN_WRONG_TYPE);
    CHECK(known(call, "executed"));
    CODE(call, standin_get_int(call, "vast", &number), STANDIN_RANGE);
    CHECK(known(call, "executed"));
    CODE(call, standin_get_int(call, "text[", &number), STANDIN_BAD_PATH);
    CHECK(known(call, "executed"));
    CODE(call, standin_get_text(call, "text", NULL, 5, &needed), STANDIN_BAD_ARGUMENT);
    CHECK(known(call, "executed"));
    CHECK(strlen(folder) < 900);
    sprintf(file, "%s/no/such/folder", folder);
    CODE(call, standin_save_file(call, "text", file), STANDIN_FILE);
    CHECK(known(call, "executed"));
    CODE(call, standin_set_int(call, "text", 1), STANDIN_BAD_STATE);
    CHECK(known(call, "executed"));
    CODE(call, standin_send(call, LIMIT), STANDIN_BAD_STATE);
    CHECK(known(call, "executed"));
    /* What is of another kind is told for the process; the call has run all the same. */
    CODE(0, standin_answer(call), STANDIN_BAD_HANDLE);
    CHECK(known(0, "executed"));
    CODE(0, standin_call_new(call, "sdk.echo", &question), STANDIN_BAD_HANDLE);
    CHECK(known(0, "not_executed"));
    DONE(call, standin_close(call));
    /* Nobody knows any more what it was. */
    CODE(0, standin_get_text(call, "text", text, sizeof text, &needed), STANDIN_BAD_HANDLE);
    CHECK(known(0, "unknown"));
    CODE(client, standin_wait_any(client, LIMIT, &call), STANDIN_BAD_STATE);
    CHECK(known(client, "unknown"));
    DONE(client, standin_close(client));
}

static void of_a_call_that_runs_nothing_is_known(standin_int64 client)
{
    standin_int64 call = new_call(client, "sdk.wait"), ended;

    DONE(call, standin_start(call));
    CODE(call, standin_get_text(call, "", text, sizeof text, &needed), STANDIN_BAD_STATE);
    CHECK(known(call, "unknown"));
    CODE(call, standin_set_int(call, "x", 1), STANDIN_BAD_STATE);
    CHECK(known(call, "unknown"));
    CODE(call, standin_wait(call, -1), STANDIN_BAD_ARGUMENT);
    CHECK(known(call, "unknown"));
    CODE(client, standin_wait_any(client, -1, &ended), STANDIN_BAD_ARGUMENT);
    CHECK(known(client, "unknown"));
    DONE(call, standin_close(call));
}

static void what_a_failed_call_is_known_by_stays(standin_int64 client)
{
    standin_int64 call, number;

    CODE(client, standin_call(client, "sdk.fail", "", LIMIT, &call), STANDIN_FAILED);
    CHECK(known(client, "not_executed"));
    CODE(call, standin_get_int(call, "", &number), STANDIN_FAILED);
    CHECK(known(call, "not_executed"));
    CODE(call, standin_set_int(call, "x", 1), STANDIN_BAD_STATE);
    CHECK(known(call, "not_executed"));
    DONE(call, standin_close(call));
}

static void the_calls_of_a_batch_are_known_by_their_own_ends(standin_int64 client)
{
    standin_int64 batch, good, bad, waits, number;

    DONE(client, standin_batch_new(client, &batch));
    good = new_call(client, "sdk.echo");
    bad = new_call(client, "sdk.fail");
    DONE(good, standin_set_text(good, "text", "a"));
    DONE(batch, standin_batch_add(batch, good));
    DONE(batch, standin_batch_add(batch, bad));
    CODE(good, standin_get_int(good, "", &number), STANDIN_BAD_STATE);
    CHECK(known(good, "not_executed"));
    DONE(batch, standin_send(batch, LIMIT));
    CODE(good, standin_get_int(good, "", &number), STANDIN_WRONG_TYPE);
    CHECK(known(good, "executed"));
    CODE(bad, standin_set_int(bad, "x", 1), STANDIN_BAD_STATE);
    CHECK(known(bad, "not_executed"));
    CODE(batch, standin_get_int(batch, "", &number), STANDIN_WRONG_TYPE);
    CHECK(known(batch, "executed"));
    DONE(batch, standin_close(batch));

    DONE(client, standin_batch_new(client, &batch));
    waits = new_call(client, "sdk.wait");
    DONE(batch, standin_batch_add(batch, waits));
    DONE(batch, standin_start(batch));
    CODE(waits, standin_get_int(waits, "", &number), STANDIN_BAD_STATE);
    CHECK(known(waits, "unknown"));
    DONE(batch, standin_close(batch));
}

/* Whoever reads a question in the middle of an order must not take the order for undone. */
static void of_the_call_that_asks_nothing_is_known(standin_int64 client)
{
    standin_int64 call = new_call(client, "sdk.ask"), question, number;

    DONE(call, standin_set_text(call, "method", "record.read"));
    DONE(call, standin_set_text(call, "arguments.name", "Anna"));
    CODE(call, standin_send(call, LIMIT), STANDIN_CALLBACK);
    DONE(client, standin_callback(client, &question));
    CODE(question, standin_get_int(question, "name", &number), STANDIN_WRONG_TYPE);
    CHECK(known(question, "unknown"));
    DONE(question, standin_answer(question));
    CODE(question, standin_answer(question), STANDIN_BAD_STATE);
    CHECK(known(question, "unknown"));
    DONE(question, standin_close(question));
    DONE(call, standin_wait(call, LIMIT));
    DONE(call, standin_close(call));
}

int main(int count, char **arguments)
{
    standin_int64 client;

    if (count != 3)
    {
        fprintf(stderr, "usage: outcomes ENDPOINT FOLDER\n");
        return 2;
    }
    an_answer_that_cannot_be_read_was_executed(arguments[1], arguments[2]);
    DONE(0, standin_open(arguments[1], "UTF-8", LIMIT, &client));
    of_a_call_that_runs_nothing_is_known(client);
    what_a_failed_call_is_known_by_stays(client);
    the_calls_of_a_batch_are_known_by_their_own_ends(client);
    of_the_call_that_asks_nothing_is_known(client);
    DONE(client, standin_close(client));
    printf("outcomes.c: %d checks held\n", checks);
    return 0;
}
