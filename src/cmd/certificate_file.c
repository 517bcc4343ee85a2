#include "cmd/certificate_file.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"

static bool fail(int *ret, int code)
{
    *ret = code;
    return false;
}

static bool read_file(const struct command *command, const char *path, struct buf *to, int *ret)
{
    FILE *file = fopen(path, "rbe");
    uint8_t part[4096];
    size_t len;

    if (!file)
        return fail(ret,
                    command_fail(command, EXIT_USAGE, "cannot read %s: %s", path, strerror(errno)));
    while ((len = fread(part, 1, sizeof part, file)) > 0 && !to->failed)
        buf_append(to, slice_of(part, len));
    if (ferror(file) && !to->failed)
        *ret = command_fail(command, EXIT_USAGE, "cannot read %s: %s", path, strerror(errno));
    else if (to->failed)
        *ret = command_fail(command, EXIT_USAGE, "%s has more than %zu KiB, which is the most",
                            path, to->max / 1024);
    else if (to->len == 0)
        *ret = command_fail(command, EXIT_USAGE, "%s is empty", path);
    else
        *ret = EXIT_DONE;
    fclose(file);
    return *ret == EXIT_DONE;
}

static bool is_text(slice content)
{
    for (size_t i = 0; i < content.len; i++) {
        uint8_t c = content.ptr[i];

        if (c == 0x7f || (c < 0x20 && c != '\n' && c != '\r' && c != '\t'))
            return false;
    }
    return utf8_valid(content);
}

static bool has_private_key(slice content)
{
    struct stack_st_X509 *certificates = NULL;
    enum certificate_problem problem =
        certificates_read(content, CERTIFICATE_CHAIN_MAX, &certificates);

    certificates_free(certificates);
    return problem == CERTIFICATE_PRIVATE_KEY;
}

static bool refuse_private_key(const struct command *command, const char *path, int *ret)
{
    return fail(ret,
                command_fail(command, EXIT_FAILED,
                             "C09: %s holds a private key and was not sent; keep the key where "
                             "it is and give a file with the certificate alone",
                             path));
}

bool certificate_file_put(const struct command *command, const char *path, size_t max,
                          struct json_writer *w, slice name, int *ret)
{
    BUF_CLEANUP struct buf content = {.max = max};
    BUF_CLEANUP struct buf text = {.max = (max + 2) / 3 * 4};

    if (!read_file(command, path, &content, ret))
        return false;
    if (has_private_key(buf_slice(&content)))
        return refuse_private_key(command, path, ret);
    if (is_text(buf_slice(&content))) {
        json_put_text(w, name, buf_slice(&content));
    } else {
        base64_encode(buf_slice(&content), &text);
        json_put_text(w, name, buf_slice(&text));
    }
    return true;
}

bool certificate_file_thumbprint(const struct command *command, const char *path,
                                 struct thumbprints *ret_thumbprints, int *ret)
{
    BUF_CLEANUP struct buf content = {.max = CERTIFICATE_FILE_MAX};
    struct x509_st *certificate = NULL;
    enum certificate_problem problem;
    bool hashed;

    if (!read_file(command, path, &content, ret))
        return false;
    problem = certificate_read(buf_slice(&content), &certificate);
    if (problem == CERTIFICATE_PRIVATE_KEY)
        return refuse_private_key(command, path, ret);
    if (problem != CERTIFICATE_FINE)
        return fail(ret, command_fail(command, EXIT_USAGE, "%s %s", path,
                                      problem == CERTIFICATE_TOO_MANY
                                          ? "holds several certificates; give a file with one"
                                          : "is no certificate in PEM or DER"));
    hashed = certificate_thumbprints(certificate, ret_thumbprints);
    certificate_free(certificate);
    return hashed || fail(ret, command_fail(command, EXIT_FAILED, "out of memory"));
}
