import com.github._1c_syntax.bsl.parser.BSLParser;
import com.github._1c_syntax.bsl.parser.BSLParserBaseListener;
import com.github._1c_syntax.bsl.parser.BSLTokenizer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.tree.ErrorNode;
import org.antlr.v4.runtime.tree.ParseTreeWalker;
import org.antlr.v4.runtime.tree.TerminalNode;

/**
 * What bsl-parser sees in each file named on standard input, as tab-separated lines on standard output:
 *
 * <pre>
 * F path
 * M name Procedure|Function parameters export start_line end_line cyclomatic cognitive statements
 * R name line
 * C method name line        method counts from 0, -1 outside of all
 * E count                   error nodes of the tree, when there are any
 * </pre>
 *
 * Complexity is computed as bsl-language-server does it (CyclomaticComplexityComputer, CognitiveComplexityComputer).
 */
public final class BslReference extends BSLParserBaseListener {
  private final PrintStream out;
  private final List<String> calls = new ArrayList<>();
  private final Set<ParserRuleContext> flattened = new HashSet<>();
  private int methods = -1;
  private boolean inMethod;
  private String name = "";
  private int cyclomatic;
  private int cognitive;
  private int nesting;
  private int statements;
  private int errors;

  private BslReference(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] arguments) throws IOException {
    var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    var paths = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split("\n");
    for (var path : paths) {
      if (path.isEmpty()) {
        continue;
      }
      var text = Files.readString(Path.of(path));
      text = text.startsWith("\uFEFF") ? text.substring(1) : text;
      out.println("F\t" + path);
      var listener = new BslReference(out);
      ParseTreeWalker.DEFAULT.walk(listener, new BSLTokenizer(text).getAst());
      listener.calls.forEach(out::println);
      if (listener.errors > 0) {
        out.println("E\t" + listener.errors);
      }
    }
    out.flush();
  }

  @Override
  public void visitErrorNode(ErrorNode node) {
    errors++;
  }

  /** What procedures and functions have in common. */
  private record Header(boolean isProcedure, BSLParser.SubNameContext name, BSLParser.ParamListContext parameters,
                        TerminalNode keyword, TerminalNode export, TerminalNode end) {
    /** Null when the parser gave up on the method. */
    static Header of(BSLParser.SubContext sub) {
      if (sub.procedure() != null && sub.procedure().procDeclaration() != null) {
        var declaration = sub.procedure().procDeclaration();
        return new Header(true, declaration.subName(), declaration.paramList(), declaration.PROCEDURE_KEYWORD(),
          declaration.EXPORT_KEYWORD(), sub.procedure().ENDPROCEDURE_KEYWORD());
      }
      if (sub.function() != null && sub.function().funcDeclaration() != null) {
        var declaration = sub.function().funcDeclaration();
        return new Header(false, declaration.subName(), declaration.paramList(), declaration.FUNCTION_KEYWORD(),
          declaration.EXPORT_KEYWORD(), sub.function().ENDFUNCTION_KEYWORD());
      }
      return null;
    }
  }

  @Override
  public void enterSub(BSLParser.SubContext sub) {
    var header = Header.of(sub);
    if (header == null) {
      return;
    }
    methods++;
    inMethod = true;
    name = header.name == null ? "" : header.name.getText();
    cyclomatic = 1;
    cognitive = nesting = statements = 0;
    flattened.clear();
  }

  @Override
  public void exitSub(BSLParser.SubContext sub) {
    var header = Header.of(sub);
    if (header == null) {
      return;
    }
    var parameters = header.parameters == null ? "" : header.parameters.param().stream()
      .map(parameter -> parameter.IDENTIFIER() == null ? "" : parameter.IDENTIFIER().getText())
      .collect(Collectors.joining(","));
    out.println(String.join("\t", "M", name, header.isProcedure ? "Procedure" : "Function", parameters,
      header.export != null ? "1" : "0", line(header.keyword), line(header.end),
      String.valueOf(cyclomatic), String.valueOf(cognitive), String.valueOf(statements)));
    inMethod = false;
    name = "";
  }

  private static String line(TerminalNode node) {
    return node == null ? "0" : String.valueOf(node.getSymbol().getLine());
  }

  @Override
  public void enterRegionStart(BSLParser.RegionStartContext region) {
    var regionName = region.regionName();
    out.println("R\t" + (regionName == null ? "" : regionName.getText()) + "\t" + region.getStart().getLine());
  }

  @Override
  public void enterMethodCall(BSLParser.MethodCallContext call) {
    call(call.methodName());
  }

  @Override
  public void enterGlobalMethodCall(BSLParser.GlobalMethodCallContext call) {
    call(call.methodName());
    if (inMethod && call.methodName() != null && call.methodName().getText().equalsIgnoreCase(name)) {
      cyclomatic++;
      cognitive++;
    }
  }

  private void call(BSLParser.MethodNameContext called) {
    if (called != null) {
      calls.add("C\t" + (inMethod ? methods : -1) + "\t" + called.getText() + "\t" + called.getStart().getLine());
    }
  }

  @Override
  public void enterStatement(BSLParser.StatementContext statement) {
    if (statement.preprocessor() == null) {
      statements++;
    }
  }

  @Override
  public void enterIfBranch(BSLParser.IfBranchContext branch) {
    structural();
  }

  @Override
  public void exitIfBranch(BSLParser.IfBranchContext branch) {
    nesting--;
  }

  @Override
  public void enterElsifBranch(BSLParser.ElsifBranchContext branch) {
    hybrid();
  }

  @Override
  public void exitElsifBranch(BSLParser.ElsifBranchContext branch) {
    nesting--;
  }

  @Override
  public void enterElseBranch(BSLParser.ElseBranchContext branch) {
    hybrid();
  }

  @Override
  public void exitElseBranch(BSLParser.ElseBranchContext branch) {
    nesting--;
  }

  @Override
  public void enterTernaryOperator(BSLParser.TernaryOperatorContext ternary) {
    structural();
  }

  @Override
  public void exitTernaryOperator(BSLParser.TernaryOperatorContext ternary) {
    nesting--;
  }

  @Override
  public void enterForStatement(BSLParser.ForStatementContext loop) {
    structural();
  }

  @Override
  public void exitForStatement(BSLParser.ForStatementContext loop) {
    nesting--;
  }

  @Override
  public void enterForEachStatement(BSLParser.ForEachStatementContext loop) {
    structural();
  }

  @Override
  public void exitForEachStatement(BSLParser.ForEachStatementContext loop) {
    nesting--;
  }

  @Override
  public void enterWhileStatement(BSLParser.WhileStatementContext loop) {
    structural();
  }

  @Override
  public void exitWhileStatement(BSLParser.WhileStatementContext loop) {
    nesting--;
  }

  @Override
  public void enterExceptCodeBlock(BSLParser.ExceptCodeBlockContext block) {
    structural();
  }

  @Override
  public void exitExceptCodeBlock(BSLParser.ExceptCodeBlockContext block) {
    nesting--;
  }

  @Override
  public void enterGotoStatement(BSLParser.GotoStatementContext jump) {
    cyclomatic++;
    cognitive++;
  }

  @Override
  public void enterExpression(BSLParser.ExpressionContext expression) {
    var isOuter = !flattened.contains(expression);
    Deque<String> operators = new ArrayDeque<>();
    flatten(expression, operators);
    var last = "";
    for (var operator : operators) {
      cyclomatic += operator.isEmpty() ? 0 : 1;
      if (isOuter && !operator.isEmpty() && !operator.equals(last)) {
        cognitive++;
      }
      last = operator;
    }
  }

  /** Boolean operators of an expression and of those in parentheses in it; an empty one at the edges of a negation. */
  private void flatten(BSLParser.ExpressionContext expression, Deque<String> operators) {
    flattened.add(expression);
    for (var child : expression.children == null ? List.<Object>of() : List.<Object>copyOf(expression.children)) {
      if (child instanceof BSLParser.MemberContext member && member.expression() != null) {
        Deque<String> inner = new ArrayDeque<>();
        flatten(member.expression(), inner);
        var negated = !inner.isEmpty() && member.unaryModifier() != null && member.unaryModifier().NOT_KEYWORD() != null;
        if (negated) {
          operators.add("");
        }
        operators.addAll(inner);
        if (negated) {
          operators.add("");
        }
      } else if (child instanceof BSLParser.OperationContext operation && operation.boolOperation() != null) {
        operators.add(operation.boolOperation().OR_KEYWORD() != null ? "or" : "and");
      }
    }
  }

  private void structural() {
    cyclomatic++;
    nesting++;
    cognitive += nesting;
  }

  private void hybrid() {
    cyclomatic++;
    cognitive++;
    nesting++;
  }
}
