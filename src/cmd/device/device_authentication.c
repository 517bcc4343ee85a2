#include "cmd/device/device_authentication.h"

#include <stdio.h>

#include "cmd/certificate_file.h"

const char *device_authentication_objection(const struct device_authentication *a, size_t devices)
{
    bool by_file = a->certificate || a->secondary_certificate;
    bool by_thumbprint = a->thumbprint || a->secondary_thumbprint;

    if (by_file + by_thumbprint + a->by_authority > 1)
        return "say one of --certificate, --thumbprint and --certificate-authority";
    if ((by_file && !a->certificate) || (by_thumbprint && !a->thumbprint))
        return "the secondary certificate comes beside a primary one";
    if ((by_file || by_thumbprint) && devices > 1)
        return "one certificate is for one device";
    return NULL;
}

/* A thumbprint as it is given, or that of a file; neither: nothing. */
static bool put_thumbprint(const struct command *command, struct json_writer *w, slice name,
                           const char *thumbprint, const char *file, int *ret)
{
    struct thumbprints of_file;

    if (thumbprint)
        json_put_text(w, name, slice_str(thumbprint));
    if (!file)
        return true;
    if (!certificate_file_thumbprint(command, file, &of_file, ret))
        return false;
    json_put_text(w, name, slice_of(of_file.sha256, sizeof of_file.sha256));
    return true;
}

bool device_authentication_put(const struct command *command, const struct device_authentication *a,
                               struct json_writer *w, int *ret)
{
    bool self_signed = a->certificate || a->thumbprint;

    if (!self_signed && !a->by_authority)
        return true;
    json_open(w, SLICE("authentication"), '{');
    json_put_text(w, SLICE("type"),
                  self_signed ? SLICE("selfSigned") : SLICE("certificateAuthority"));
    if (!put_thumbprint(command, w, SLICE("primaryThumbprint"), a->thumbprint, a->certificate,
                        ret) ||
        !put_thumbprint(command, w, SLICE("secondaryThumbprint"), a->secondary_thumbprint,
                        a->secondary_certificate, ret))
        return false;
    json_close(w, '}');
    return true;
}

void device_authentication_print(struct client *c, const struct json *authentication)
{
    printf("%-13s %s", "credential", client_text(c, authentication, "type"));
    if (json_member(authentication, SLICE("primaryThumbprint")))
        printf(" %s %s", client_text(c, authentication, "primaryThumbprint"),
               client_text(c, authentication, "secondaryThumbprint"));
    putchar('\n');
}
