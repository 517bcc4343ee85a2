/* muster explain: what the provisioning service would say to a credential, and why. */
#include <stdio.h>

#include "cmd/certificate_file.h"
#include "cmd/client.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/steps.h"

static int run(int argc, char **argv);

const struct command explain_command = {
    .name = "explain",
    .summary = "what provisioning would say to a certificate or token, step by step",
    .usage =
        "usage: muster explain --cert FILE [--chain FILE] [--id REGISTRATION_ID]\n"
        "       muster explain --sas TOKEN [--id REGISTRATION_ID]\n\n"
        "Asks the running server, with the enrollments and authorities that it has now, and "
        "changes\n"
        "nothing there. Prints the checks in their order; of the one that fails what was "
        "expected,\n"
        "what was received, and what to do about it. The registration ID is the certificate's "
        "common\n"
        "name, or what the token is for, unless given. No private key is needed.\n\n"
        "  --cert FILE    the device's certificate, PEM or DER; PEM may hold its chain behind it\n"
        "  --chain FILE   the certificates between it and the authority, as the device sends them\n"
        "  --sas TOKEN    a token of provisioning: SharedAccessSignature sr=...&sig=...&se=...\n\n"
        "Also: --data DIR, --json. Exit status: 0 it would be assigned, 1 it would not.\n",
    .run = run,
};

struct explain_words {
    const char *folder, *cert, *chain, *sas, *id;
    bool json;
};

static bool check_words(const struct explain_words *w, const struct words *others, int *ret)
{
    const char *wrong = NULL;

    if (others->count > 0)
        wrong = "takes options only: --cert FILE or --sas TOKEN; --help tells more";
    else if (!w->cert == !w->sas)
        wrong = "say either --cert FILE or --sas TOKEN; --help tells more";
    else if (w->chain && !w->cert)
        wrong = "--chain goes with --cert";
    if (wrong)
        *ret = command_fail(&explain_command, EXIT_USAGE, "%s", wrong);
    return !wrong;
}

static bool write_request(const struct explain_words *w, struct buf *body, int *ret)
{
    struct json_writer writer = {.to = body};

    json_open(&writer, (slice){0}, '{');
    if (w->id)
        json_put_text(&writer, SLICE("registrationId"), slice_str(w->id));
    if (w->sas)
        json_put_text(&writer, SLICE("sas"), slice_str(w->sas));
    if (w->cert && !certificate_file_put(&explain_command, w->cert, CERTIFICATE_FILE_MAX, &writer,
                                         SLICE("certificate"), ret))
        return false;
    if (w->chain && !certificate_file_put(&explain_command, w->chain, CERTIFICATE_FILE_MAX, &writer,
                                          SLICE("chain"), ret))
        return false;
    json_close(&writer, '}');
    return true;
}

/* The answer in lines, the verdict last. */
static int print_verdict(struct client *c, const struct explain_words *w, const struct json *answer)
{
    slice result = {0};
    bool assigned;

    json_get_text(answer, SLICE("result"), &result);
    assigned = slice_equal(result, SLICE("assigned"));
    if (w->json) {
        client_print_json(answer);
    } else {
        steps_print(c, json_member(answer, SLICE("steps")));
        if (assigned)
            printf("\n%s would be assigned, by %s %s\n", client_text(c, answer, "registrationId"),
                   client_text(c, answer, "enrollmentKind"), client_text(c, answer, "enrollment"));
    }
    if (assigned)
        return EXIT_DONE;
    return command_fail(&explain_command, EXIT_FAILED, "%s would not be assigned (%s): %s",
                        client_text(c, answer, "registrationId"), client_text(c, answer, "result"),
                        client_text(c, answer, "reason"));
}

static int run(int argc, char **argv)
{
    struct explain_words w = {0};
    const struct option_spec specs[] = {
        {.name = "--data", .value = &w.folder}, {.name = "--cert", .value = &w.cert},
        {.name = "--chain", .value = &w.chain}, {.name = "--sas", .value = &w.sas},
        {.name = "--id", .value = &w.id},       {.name = "--json", .flag = &w.json},
    };
    BUF_CLEANUP struct buf body = {.max = 4 * CERTIFICATE_FILE_MAX};
    struct json *answer = NULL;
    struct client client;
    struct words words;
    int code;

    if (!options_read(&explain_command, argc, argv, specs, COUNT_OF(specs), &words, &code) ||
        !check_words(&w, &words, &code) || !write_request(&w, &body, &code) ||
        !client_open(&client, &explain_command, w.folder, &code))
        return code;
    code = client_call(&client, "POST", SLICE("explain"), &body, &answer);
    if (code == EXIT_DONE)
        code = print_verdict(&client, &w, answer);
    client_close(&client);
    return code;
}
