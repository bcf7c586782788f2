/*
 * Questions of workers, as standin.h promises them to a program in C. It needs a service with the workers of the chaos
 * suite (chaos-tests sdk-worker).
 *
 *     questions ENDPOINT
 */
#include "check.h"

/* Makes a call whose worker asks `count` times, and answers; the first answer needs such a call itself, `depth` deep.
 * `outer` is the question that is open meanwhile, or 0. */
static void ask(standin_int64 client, int count, int depth, standin_int64 outer)
{
    standin_int64 call = new_call(client, "sdk.ask_many"), callback, again, number, sum;
    standin_int32 code;

    DONE(call, standin_set_text(call, "method", "twice"));
    DONE(call, standin_set_int(call, "count", count));
    for (code = standin_send(call, LIMIT); code == STANDIN_CALLBACK; code = standin_wait(call, LIMIT))
    {
        DONE(call, standin_callback(call, &callback));
        DONE(callback, standin_callback_method(callback, text, sizeof text, &needed));
        CHECK(is("twice"));
        DONE(callback, standin_get_int(callback, "number", &number));
        if (number == 1 && depth > 0)
            ask(client, 2, depth - 1, callback);
        /* The innermost that is open, whoever asks. */
        DONE(client, standin_callback(client, &again));
        CHECK(again == callback);
        DONE(callback, standin_set_int(callback, "", 2 * number));
        DONE(callback, standin_answer(callback));
        CODE(callback, standin_answer(callback), STANDIN_BAD_STATE);
        CODE(callback, standin_set_int(callback, "", 1), STANDIN_BAD_STATE);
        DONE(callback, standin_close(callback));
    }
    DONE(call, code);
    DONE(call, standin_get_int(call, "", &sum));
    CHECK(sum == (standin_int64)count * (count + 1));
    CODE(client, standin_callback(client, &again), outer == 0 ? STANDIN_MISSING : STANDIN_OK);
    CHECK(again == outer);
    DONE(call, standin_close(call));
}

static void a_question_may_be_failed_or_left(standin_int64 client)
{
    standin_int64 call = new_call(client, "sdk.ask"), callback;

    DONE(call, standin_set_text(call, "method", "record.read"));
    DONE(call, standin_set_map(call, "arguments"));
    CODE(call, standin_send(call, LIMIT), STANDIN_CALLBACK);
    DONE(client, standin_callback(client, &callback));
    DONE(callback, standin_fail(callback, "record.locked", "Anna has it."));
    DONE(callback, standin_close(callback));
    DONE(call, standin_wait(call, LIMIT));
    DONE(call, standin_get_text(call, "message", text, sizeof text, &needed));
    CHECK(strstr(text, "Anna has it.") != NULL);
    DONE(call, standin_close(call));

    call = new_call(client, "sdk.ask");
    DONE(call, standin_set_text(call, "method", "record.read"));
    DONE(call, standin_set_map(call, "arguments"));
    CODE(call, standin_send(call, LIMIT), STANDIN_CALLBACK);
    DONE(client, standin_callback(client, &callback));
    DONE(callback, standin_close(callback));
    DONE(call, standin_wait(call, LIMIT));
    DONE(call, standin_get_text(call, "code", text, sizeof text, &needed));
    CHECK(is("callback_failed"));
    DONE(call, standin_close(call));
}

/* Many questions in one message are told like many in a row, each when the one before it is over, and each has its own
 * answer: one is failed, one left, and one needs a call that brings such questions itself. */
static void questions_that_come_at_once_are_asked_one_by_one(standin_int64 client, int depth, standin_int64 outer)
{
    standin_int64 call = new_call(client, "sdk.ask_all"), callback, again, number, next = 1, count;
    standin_int32 code;

    DONE(call, standin_set_text(call, "method", "twice"));
    DONE(call, standin_set_int(call, "count", 10));
    for (code = standin_send(call, LIMIT); code == STANDIN_CALLBACK; code = standin_wait(call, LIMIT))
    {
        DONE(client, standin_callback(client, &callback));
        DONE(callback, standin_callback_method(callback, text, sizeof text, &needed));
        CHECK(is("twice"));
        DONE(callback, standin_get_int(callback, "number", &number));
        CHECK(number == next++);
        /* The next one is not there before this one is over. */
        CODE(call, standin_wait(call, 0), STANDIN_PENDING);
        DONE(client, standin_callback(client, &again));
        CHECK(again == callback);
        if (number == 7 && depth > 0)
            questions_that_come_at_once_are_asked_one_by_one(client, depth - 1, callback);
        DONE(callback, standin_set_int(callback, "", 2 * number));
        if (number == 3)
            DONE(callback, standin_fail(callback, "record.locked", "Anna has it."));
        else if (number != 5)
            DONE(callback, standin_answer(callback));
        DONE(callback, standin_close(callback));
    }
    DONE(call, code);
    CHECK(next == 11);
    DONE(call, standin_count(call, "", &count));
    CHECK(count == 10);
    for (next = 1; next <= count; next++)
    {
        char path[50];

        sprintf(path, "[%d].answer", (int)next - 1);
        if (next == 3 || next == 5)
        {
            CODE(call, standin_get_int(call, path, &number), STANDIN_NULL);
            sprintf(path, "[%d].code", (int)next - 1);
            DONE(call, standin_get_text(call, path, text, sizeof text, &needed));
            CHECK(is("callback_failed"));
            sprintf(path, "[%d].message", (int)next - 1);
            DONE(call, standin_get_text(call, path, text, sizeof text, &needed));
            CHECK(strstr(text, next == 3 ? "Anna has it." : "The program gave no answer.") != NULL);
        }
        else
        {
            DONE(call, standin_get_int(call, path, &number));
            CHECK(number == 2 * next);
        }
    }
    CODE(client, standin_callback(client, &again), outer == 0 ? STANDIN_MISSING : STANDIN_OK);
    CHECK(again == outer);
    DONE(call, standin_close(call));
}

/* A thousand are one message there and one back. */
static void a_thousand_questions_come_at_once(standin_int64 client)
{
    standin_int64 call = new_call(client, "sdk.ask_all"), callback, number, count = 0;
    standin_int32 code;

    DONE(call, standin_set_text(call, "method", "twice"));
    DONE(call, standin_set_int(call, "count", 1000));
    for (code = standin_send(call, LIMIT); code == STANDIN_CALLBACK; code = standin_wait(call, LIMIT))
    {
        DONE(client, standin_callback(client, &callback));
        DONE(callback, standin_get_int(callback, "number", &number));
        DONE(callback, standin_set_int(callback, "", 2 * number));
        DONE(callback, standin_answer(callback));
        DONE(callback, standin_close(callback));
        count++;
    }
    DONE(call, code);
    CHECK(count == 1000);
    DONE(call, standin_get_int(call, "[999].answer", &number));
    CHECK(number == 2000);
    DONE(call, standin_close(call));
}

/* The call is taken back while some of them have no answer. The others are asked all the same, since the service does not
 * say whose a question is; what they are answered does no harm, and at the end the client is as it was. */
static void questions_of_a_call_that_is_over_may_be_answered(standin_int64 client)
{
    standin_int64 call = new_call(client, "sdk.ask_all"), callback, number, count;

    DONE(call, standin_set_text(call, "method", "twice"));
    DONE(call, standin_set_int(call, "count", 10));
    CODE(call, standin_send(call, LIMIT), STANDIN_CALLBACK);
    DONE(client, standin_callback(client, &callback));
    DONE(call, standin_cancel(call));
    CODE(call, standin_wait(call, LIMIT), STANDIN_FAILED);
    DONE(call, standin_error_code(call, text, sizeof text, &needed));
    CHECK(is("cancelled"));
    DONE(call, standin_close(call));
    for (count = 1;; count++)
    {
        DONE(callback, standin_get_int(callback, "number", &number));
        CHECK(number == count);
        DONE(callback, standin_set_int(callback, "", 2 * number));
        DONE(callback, standin_answer(callback));
        DONE(callback, standin_close(callback));
        if (count == 10)
            break;
        /* The next one comes before the end of whatever is waited for. */
        CODE(client, standin_call(client, "standin.ping", NULL, LIMIT, &call), STANDIN_CALLBACK);
        DONE(call, standin_close(call));
        DONE(client, standin_callback(client, &callback));
    }
    DONE(client, standin_call(client, "standin.ping", NULL, LIMIT, &call));
    DONE(call, standin_close(call));
    CODE(client, standin_callback(client, &callback), STANDIN_MISSING);
}

int main(int count, char **arguments)
{
    standin_int64 client;

    if (count != 2)
    {
        fprintf(stderr, "usage: questions ENDPOINT\n");
        return 2;
    }
    DONE(0, standin_open(arguments[1], "UTF-8", LIMIT, &client));
    ask(client, 10, 0, 0);
    ask(client, 1, 2, 0);
    a_question_may_be_failed_or_left(client);
    questions_that_come_at_once_are_asked_one_by_one(client, 1, 0);
    a_thousand_questions_come_at_once(client);
    questions_of_a_call_that_is_over_may_be_answered(client);
    DONE(client, standin_close(client));
    printf("questions.c: %d checks held\n", checks);
    return 0;
}
