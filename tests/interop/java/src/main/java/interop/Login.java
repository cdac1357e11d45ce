package interop;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** Gives everybody a token, as Salesforce's logins do to those whom they know. */
final class Login extends HttpServlet {
    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String instance = "http://127.0.0.1:" + request.getLocalPort();
        response.setContentType("application/json");
        response.getWriter()
                .print("{\"access_token\": \"token\", \"token_type\": \"Bearer\", \"instance_url\": \"" + instance
                        + "\", \"id\": \"" + instance + "/id/00D000000000001AAA/005000000000001AAA\"}");
    }
}
