// A key and a self-signed certificate made for one test, with which a server speaks TLS.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include <cstdio>
#include <memory>
#include <string>

namespace mlops::net::test {

class TlsIdentity {
 public:
  struct SessionDeleter {
    void operator()(SSL* session) const { SSL_free(session); }
  };
  using Session = std::unique_ptr<SSL, SessionDeleter>;

  // `subject_names` as in a configuration of OpenSSL: "IP:127.0.0.1,DNS:a.example".
  explicit TlsIdentity(const std::string& subject_names)
      : key_(EVP_EC_gen("P-256")), certificate_(X509_new()), context_(SSL_CTX_new(TLS_server_method())) {
    X509_set_version(certificate_, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate_), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), 3'600);
    X509_set_pubkey(certificate_, key_);
    X509_NAME* const name = X509_get_subject_name(certificate_);
    const auto* const text = reinterpret_cast<const unsigned char*>("mlops unit test");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(certificate_, name);
    X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, subject_names.c_str());
    X509_add_ext(certificate_, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate_, key_, EVP_sha256());
    SSL_CTX_use_certificate(context_, certificate_);
    SSL_CTX_use_PrivateKey(context_, key_);
    // OpenSSL writes to sockets without MSG_NOSIGNAL.
    ::signal(SIGPIPE, SIG_IGN);
  }
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;
  ~TlsIdentity() {
    SSL_CTX_free(context_);
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }

  void write_certificate(const std::string& file) const {
    std::FILE* const out = std::fopen(file.c_str(), "w");
    PEM_write_X509(out, certificate_);
    std::fclose(out);
  }

  // The handshake on an accepted connection; null: it failed.
  Session serve(int connection) const {
    Session session(SSL_new(context_));
    SSL_set_fd(session.get(), connection);
    return SSL_accept(session.get()) == 1 ? std::move(session) : nullptr;
  }

 private:
  EVP_PKEY* key_;
  X509* certificate_;
  SSL_CTX* context_;
};

}  // namespace mlops::net::test
