"""What the old Orthanc Explorer gets from us: buttons, and the way to the sign-in where nobody has signed in.

The buttons in the old Orthanc Explorer (the one that Debian ships), which lead from a study to its page here.

Orthanc Explorer 2 takes its button from the configuration (`UiOptions.CustomButtons`); see orthanc.json.
"""

# The old explorer is jQuery Mobile 1.1: pages are built once, and `$.mobile.pageData.uuid` names what they show.
EXPLORER_BUTTON = """
$('#study').live('pagebeforecreate', function() {
  var button = $('<a>').attr('data-role', 'button').attr('href', '#').attr('data-icon', 'info')
    .attr('data-theme', 'e').text('Open in Treegarth');
  button.insertBefore($('#study-delete').parent().parent());
  button.click(function() {
    if ($.mobile.pageData) {
      window.location.href = '../treegarth/open/studies/' + $.mobile.pageData.uuid;
    }
  });
});
$('#lookup').live('pagebeforecreate', function() {
  var button = $('<a>').attr('data-role', 'button').attr('href', '../treegarth/').attr('rel', 'external')
    .attr('data-icon', 'home').attr('data-theme', 'e').text('Treegarth: today, dose, search');
  button.insertAfter($('#lookup-submit').parent().parent());
});
"""
EXPLORER_SIGN_IN = """
$(document).ajaxError(function(event, answer) {
  if (answer.status === 403 || answer.status === 401) {
    $.ajax({ url: '../treegarth/api/v1/access/me', dataType: 'json', global: false, success: function(me) {
      if (me.sign_in === 'treegarth' && !me.name) {
        window.location.href = '../treegarth/sign-in?next=' + encodeURIComponent(
          window.location.pathname + window.location.search + window.location.hash);
      }
    } });
  }
});
"""
"""Its pages hold no data, so that the gate lets everybody have them; what they ask for is refused until somebody signs
in."""
