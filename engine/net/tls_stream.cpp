#include "net/stream.hpp"

#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace pawl::net {
namespace ssl = boost::asio::ssl;
namespace {

class tls_stream final : public byte_stream {
public:
    tls_stream(boost::asio::ip::tcp::socket s, ssl::context& context) : stream_(std::move(s), context) {}

    boost::asio::ip::tcp::socket& socket() override { return stream_.next_layer(); }

    void handshake(const std::string& host, done on_done) override {
        if (host.empty()) return stream_.async_handshake(ssl::stream_base::server, std::move(on_done));
        SSL_set_tlsext_host_name(stream_.native_handle(), host.c_str());
        stream_.set_verify_mode(ssl::verify_peer);
        stream_.set_verify_callback(ssl::host_name_verification(host));
        stream_.async_handshake(ssl::stream_base::client, std::move(on_done));
    }

    void read_some(boost::asio::mutable_buffer into, transferred on_done) override { stream_.async_read_some(into, std::move(on_done)); }

    void write(boost::asio::const_buffer all, done on_done) override {
        boost::asio::async_write(stream_, boost::asio::buffer(all), [on_done = std::move(on_done)](boost::system::error_code e, std::size_t) { on_done(e); });
    }

    std::string certificate_error() const override {
        const auto verdict = SSL_get_verify_result(const_cast<tls_stream*>(this)->stream_.native_handle());
        // The host name check fails in a callback of its own and leaves "application verification failure".
        if (verdict == X509_V_OK) return {};
        if (verdict == X509_V_ERR_APPLICATION_VERIFICATION) return "the certificate is for another host";
        return X509_verify_cert_error_string(verdict);
    }

private:
    ssl::stream<boost::asio::ip::tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<byte_stream> make_tls_stream(boost::asio::ip::tcp::socket socket, ssl::context& context) {
    return std::make_unique<tls_stream>(std::move(socket), context);
}

}  // namespace pawl::net
