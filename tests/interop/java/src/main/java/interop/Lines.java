package interop;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.eclipse.jetty.util.ajax.JSON;

/** JSON lines: facts go out on standard output, commands come in on standard input; see lines.js. */
final class Lines {
    interface Command {
        /** Gives the result, or a future of it. */
        Object apply(Map<String, Object> fields) throws Exception;
    }

    private static final JSON json = new JSON();
    private static final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private Lines() {}

    /** Print a fact, with details as name, value, name, value. */
    static void say(String fact, Object... details) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("fact", fact);
        for (int i = 0; i < details.length; i += 2) {
            line.put((String) details[i], details[i + 1]);
        }
        String text = json.toJSON(line);
        synchronized (out) {
            out.print(text + "\n");
            out.flush();
        }
    }

    @SuppressWarnings("unchecked")
    static Object parse(String text) {
        try {
            Object found = json.fromJSON(text);
            return found instanceof Object[] array ? List.of(array) : found;
        } catch (RuntimeException problem) {
            return text;
        }
    }

    /** The options of this program: one JSON object as its only argument. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> options(String[] arguments) {
        return arguments.length == 0 ? new HashMap<>() : (Map<String, Object>) json.fromJSON(arguments[0]);
    }

    static long number(Map<String, Object> options, String name, long otherwise) {
        return options.get(name) instanceof Number number ? number.longValue() : otherwise;
    }

    /** Carry out commands until standard input ends, and the process with it. */
    @SuppressWarnings("unchecked")
    static void obey(Map<String, Command> commands) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            Map<String, Object> fields = (Map<String, Object>) json.fromJSON(line);
            Object number = fields.remove("number");
            Command command = commands.get((String) fields.remove("command"));
            try {
                if (command == null) {
                    throw new IllegalArgumentException("no such command; there are " + commands.keySet());
                }
                Object result = command.apply(fields);
                if (result instanceof CompletableFuture<?> future) {
                    future.whenComplete((value, problem) -> end(number, value, problem));
                } else {
                    end(number, result, null);
                }
            } catch (Exception problem) {
                end(number, null, problem);
            }
        }
        System.exit(0);
    }

    private static void end(Object number, Object result, Throwable problem) {
        if (problem == null) {
            say("done", "number", number, "result", result);
        } else {
            say("failed", "number", number, "problem", String.valueOf(problem));
        }
    }
}
