/* For the tests of tokens: keys and what they signed. */
#ifndef MUSTER_CODEC_JWT_FIXTURE_H
#define MUSTER_CODEC_JWT_FIXTURE_H

/* RFC 7515, appendix A.3. */
#define ES256_TEXT                                                                                 \
    "eyJhbGciOiJFUzI1NiJ9"                                                                         \
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnV" \
    "lf"                                                                                           \
    "Q"
#define ES256_SIGNATURE                                                                            \
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define ES256_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define ES256_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

/* {"alg":"RS256","kid":"k1"} {"iss":"https://login.example.org","aud":"muster","exp":1767225600,
 * "iat":1767222000,"nonce":"n1","sub":"ann"}, with a key of 2048 bits. */
#define RS256_TEXT                                                                                 \
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0"                                                          \
    ".eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUub3JnIiwiYXVkIjoibXVzdGVyIiwiZXhwIjoxNzY3MjI1NjAwLCJ" \
    "p"                                                                                            \
    "YXQiOjE3NjcyMjIwMDAsIm5vbmNlIjoibjEiLCJzdWIiOiJhbm4ifQ"
#define RS256_SIGNATURE                                                                            \
    "QyJ2Xx-OpAOzGoi2PCshiS-JOkxqJaDvZanATKnXVe_9W_desFGvKJqB9Xj18Oj4BUaA5U-"                      \
    "ynN70dIXd5bTcrPAFHk6D5"                                                                       \
    "haMHnR_x5BPiW0qlZxxHkCf6GyIjfI9mmm_ACJInyE4B_tbR8f5XUnSzlp61SAWtoxjALRSCJTeHOX19RU1a9RJAYjB_" \
    "Qg"                                                                                           \
    "KyVvmTVKzHZFzvUyYXuv48dZDJtBR7Gb66SfR10b43rHpESh5LpLHC1K_5vTGzz9YjbM5-"                       \
    "Dt3hjo1wsl90dN1AvLYNipO8"                                                                     \
    "hXFXzP0XWMPFMgFllHAWUxs_3vevHqZ8xPhPNWrBibfxkedm49_qDFgcmcSgQ"
#define RS256_N                                                                                    \
    "vZDcAxv1_-xmNxiGeZQC_637KrL4N1cEPURg3A67T9TkAN7fA4gN0aJeURbVla-T7q-"                          \
    "CP6sVY1B2qkiRfSd6OucKnwsiy"                                                                   \
    "XGSfPyNDiNI-Ovq3sIsMrUcbfF6YnL1CvpSnqxgzsf3_ZHSTvoc3aiYXrOXX_"                                \
    "oSUgqC1hOeJMTzI8kiMllZ7A0Sy654XEb"                                                            \
    "EVJEjfmGhvHocb-"                                                                              \
    "tblbFhE20K3I0v4hdJoOvumR7G3ZmfH4ulvJCDW2mstpJLT2btaIW2Xbl22W6jfNALweNCNHV49VzZ3"              \
    "yHsTowrgv8L6OsiLDF_6XX8Rv2ymVJ0EbiOQUIzt-B3IlJzYfK9pPdv-x8new"

/* {"alg":"RS256","kid":"k1"} {"sub":"ann"}, with a key of 1024 bits. */
#define WEAK_TEXT "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJhbm4ifQ"
#define WEAK_SIGNATURE                                                                             \
    "LxEleEM4K8AcFiYWuSTnOTtAUCAFmZBG6thxYu_"                                                      \
    "2yKyoyXLfrGOG3mtZYZDWY16tEqrocJ0Z6EjG88ctwowebOqk51qkq"                                       \
    "94KHoZnklQ_1OAUGMEUJIhyp3Afzuu92ne3VkcqQbLQZwWcTfCo2oVFKnaPBZ_M0PmunujNpOzflDk"
#define WEAK_N                                                                                     \
    "3cWPw3jgZn35pmQyh3Ozrnee7yJHidk3BVssNZ_RXdYCMfYBNY6ZyewpmZg0wPSkvpBk0qtaf3W-"                 \
    "kDWLrHvbi3du0DDms"                                                                            \
    "rWBqweE_RCRuPtHtGBnTzQ8I1t5luiDYWLiUXDs9GGR-JqSUGosy_YVPIIqnW01EGamA-RHfAdv0is"

#define RSA_KEY(kid, n, more)                                                                      \
    "{\"kty\":\"RSA\",\"kid\":\"" kid "\",\"n\":\"" n "\",\"e\":\"AQAB\"" more "}"
#define EC_KEY(more)                                                                               \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ES256_X "\",\"y\":\"" ES256_Y "\"" more "}"
#define KEYS(list) "{\"keys\":[" list "]}"

#endif
