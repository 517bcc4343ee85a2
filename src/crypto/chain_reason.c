#include "crypto/chain.h"

static const struct {
    const char *name, *mend;
} reasons[] = {
    [CHAIN_GOOD] = {"good", "nothing to mend"},
    [CHAIN_NO_ISSUER] =
        {"no_issuer", "let the device send its chain: the leaf, then the intermediates below the "
                      "authority in the slot; or upload and verify the authority that issued it"},
    [CHAIN_BAD_SIGNATURE] = {"bad_signature",
                             "issue the certificate again with the key of the authority it names; "
                             "another authority may bear the same name"},
    [CHAIN_NOT_YET_VALID] = {"not_yet_valid",
                             "check the clocks of this server and of the machine that issued the "
                             "certificate, or wait until it begins"},
    [CHAIN_EXPIRED] = {"expired", "issue a new certificate, and check the clock of this server"},
    [CHAIN_ISSUER_NO_CA] = {"issuer_no_ca",
                            "make the issuing certificate again, version 3 with basicConstraints "
                            "CA:TRUE"},
    [CHAIN_ISSUER_MAY_NOT_SIGN] = {"issuer_may_not_sign",
                                   "make the issuing certificate again with keyCertSign in its "
                                   "keyUsage, or without keyUsage"},
    [CHAIN_PATH_LENGTH] = {"path_length",
                           "raise pathlen of the authority, or issue with fewer intermediates"},
    [CHAIN_TOO_LONG] = {"too_long",
                        "use fewer intermediates, or upload one that is nearer to the device"},
    [CHAIN_WEAK_KEY] = {"weak_key",
                        "use a key of P-256, P-384, P-521, Ed25519 or RSA with 2048 to 8192 bits"},
    [CHAIN_WEAK_SIGNATURE] = {"weak_signature",
                              "issue the certificate again, signed with SHA-256 or better"},
    [CHAIN_WRONG_PURPOSE] = {"wrong_purpose",
                             "issue the certificate with clientAuth in extendedKeyUsage and "
                             "digitalSignature in keyUsage, or without these extensions"},
    [CHAIN_NAME_CONSTRAINT] = {"name_constraint",
                               "choose a name that the nameConstraints of the authority permit"},
    [CHAIN_CRITICAL_EXTENSION] = {"critical_extension",
                                  "issue the certificate without that extension, or not critical"},
    [CHAIN_MALFORMED] = {"malformed", "issue the certificate again with another tool"},
    [CHAIN_BAD_NAME] = {"bad_name",
                        "issue the certificate with one CN: the device ID, of 1 to 64 printable "
                        "ASCII characters"},
    [CHAIN_OTHER] = {"other", "read the certificates with a tool of your own"},
};
_Static_assert(COUNT_OF(reasons) == CHAIN_REASONS, "every reason has its words");

const char *chain_reason_name(enum chain_reason reason)
{
    return reasons[reason].name;
}

const char *chain_reason_mend(enum chain_reason reason)
{
    return reasons[reason].mend;
}
