"""The concepts of radiation dose reports, each with every code that names it. Tables only; pure.

Codes are compared by coding scheme and value, never by meaning: meanings carry typos and translations. DCM codes are
those of PS3.16 Annex D, as used by TID 10001 to 10024. Concepts outside DCM stand with their SCT code (PS3.16 CP-1850
made it the preferred one) and with the SRT code that older devices write; SNM3 and 99SDM are older designators of SRT
(PS3.16 8.1). UMLS codes (PS3.16 8, designator "UMLS") are listed where a device is known to write one.
"""

from __future__ import annotations

from dataclasses import dataclass

from treegarth.dicom.sr_tree import Code

_SAME_SCHEME = {"SNM3": "SRT", "SNM": "SRT", "99SDM": "SRT", "SNOMED-CT": "SCT", "": "DCM"}


@dataclass(frozen=True, eq=False, slots=True)
class Concept:
    """One concept: the standard's English meaning and its codes as (scheme, value), the preferred one first."""

    meaning: str
    codes: tuple[tuple[str, str], ...]


_BY_CODE: dict[tuple[str, str], Concept] = {}


def concept_of(code: Code | None) -> Concept | None:
    """The known concept that a code names, or None. An absent scheme counts as DCM: DCM's numbers are unmistakable."""
    if code is None:
        return None
    found = _BY_CODE.get((code.scheme, code.value))
    if found is not None:
        return found
    scheme = code.scheme.strip().upper()
    return _BY_CODE.get((_SAME_SCHEME.get(scheme, scheme), code.value.strip()))


def known_concepts() -> tuple[Concept, ...]:
    """Every concept of this module."""
    return tuple(dict.fromkeys(_BY_CODE.values()))


def _concept(meaning: str, **codes: str) -> Concept:
    """A concept by scheme=“value [value ...]”."""
    pairs = tuple((scheme.upper(), value) for scheme, values in codes.items() for value in values.split())
    concept = Concept(meaning, pairs)
    for pair in pairs:
        if pair in _BY_CODE:
            raise ValueError(f"{pair} names two concepts")
        _BY_CODE[pair] = concept
    return concept


# Report titles (TID 10001, 10011, 10021, 10030) and what marks a report of TID 10040
X_RAY_RADIATION_DOSE_REPORT = _concept("X-Ray Radiation Dose Report", dcm="113701")
PATIENT_RADIATION_DOSE_REPORT = _concept("Patient Radiation Dose Report", dcm="128401")
IRRADIATION_EVENT_SUMMARY_DATA = _concept("Irradiation Event Summary Data", dcm="130501")
RADIOPHARMACEUTICAL_RADIATION_DOSE_REPORT = _concept("Radiopharmaceutical Radiation Dose Report", dcm="113500")

# Enhanced X-Ray Radiation Dose (TID 10040 ff.): what stands beside the concepts of TID 10003 and 10013
ACCUMULATED_DOSE_DATA = _concept("Accumulated Dose Data", dcm="130500")
IRRADIATION_DETAILS = _concept("Irradiation Details", dcm="130505")
REFERENCE_POINT_DOSIMETRY = _concept("Reference Point Dosimetry", dcm="130502")
IS_REJECTED_ACQUISITION = _concept("Is Rejected Acquisition", dcm="130503")
REASON_FOR_REJECTING_ACQUISITION = _concept("Reason for Rejecting Acquisition", dcm="130504")

# Patient Radiation Dose (TID 10030 ff.)
RADIATION_DOSE_ESTIMATE = _concept("Radiation Dose Estimate", dcm="128402")
RADIATION_DOSE_ESTIMATE_NAME = _concept("Radiation Dose Estimate Name", dcm="128403")
RADIATION_DOSE_ESTIMATE_METHODOLOGY = _concept("Radiation Dose Estimate Methodology", dcm="128415")
RADIATION_DOSE_ESTIMATE_METHOD_TYPE = _concept("Radiation Dose Estimate Method Type", dcm="128477")
EVENT_UID_USED = _concept("Event UID Used", dcm="128429")
SR_INSTANCE_USED = _concept("SR Instance Used", dcm="128416")
ABSORBED_DOSE = _concept("Absorbed Dose", dcm="128513")
EQUIVALENT_DOSE = _concept("Equivalent Dose", dcm="128512")

# Report context (TID 1001 to 1004, 1204, 10001, 10011, 1020)
LANGUAGE = _concept("Language of Content Item and Descendants", dcm="121049")
PROCEDURE_REPORTED = _concept("Procedure Reported", dcm="121058")
ASSOCIATED_PROCEDURE = _concept("Associated Procedure", sct="363589002", srt="G-C2D0")
HAS_INTENT = _concept("Has Intent", sct="363703001", srt="G-C0E8")
OBSERVER_TYPE = _concept("Observer Type", dcm="121005")
DEVICE_OBSERVER_UID = _concept("Device Observer UID", dcm="121012")
DEVICE_OBSERVER_NAME = _concept("Device Observer Name", dcm="121013")
DEVICE_OBSERVER_MANUFACTURER = _concept("Device Observer Manufacturer", dcm="121014")
DEVICE_OBSERVER_MODEL_NAME = _concept("Device Observer Model Name", dcm="121015")
DEVICE_OBSERVER_SERIAL_NUMBER = _concept("Device Observer Serial Number", dcm="121016")
DEVICE_OBSERVER_PHYSICAL_LOCATION = _concept("Device Observer Physical Location During Observation", dcm="121017")
STATION_AE_TITLE = _concept("Station AE Title", dcm="110119")
START_OF_X_RAY_IRRADIATION = _concept("Start of X-Ray Irradiation", dcm="113809")
END_OF_X_RAY_IRRADIATION = _concept("End of X-Ray Irradiation", dcm="113810")
SCOPE_OF_ACCUMULATION = _concept("Scope of Accumulation", dcm="113705")
SCOPE_STUDY = _concept("Study", dcm="113014")  # CID 10000
SCOPE_SERIES = _concept("Series", dcm="113015")
SCOPE_PERFORMED_PROCEDURE_STEP = _concept("Performed Procedure Step", dcm="113016")
SCOPE_IRRADIATION_EVENT = _concept("Irradiation Event", dcm="113852")
SCOPE_TO_THIS_POINT = _concept("Procedure Step To This Point", dcm="113970")
STUDY_INSTANCE_UID = _concept("Study Instance UID", dcm="110180")
PERFORMED_PROCEDURE_STEP_UID = _concept("Performed Procedure Step SOP Instance UID", dcm="121126")
SOURCE_OF_DOSE_INFORMATION = _concept("Source of Dose Information", dcm="113854")
COMMENT = _concept("Comment", dcm="121106")
DEVICE_ROLE_IN_PROCEDURE = _concept("Device Role in Procedure", dcm="113876")
DEVICE_NAME = _concept("Device Name", dcm="113877")
DEVICE_MANUFACTURER = _concept("Device Manufacturer", dcm="113878")
DEVICE_MODEL_NAME = _concept("Device Model Name", dcm="113879")
DEVICE_SERIAL_NUMBER = _concept("Device Serial Number", dcm="113880")
REFERENCE_AUTHORITY = _concept("Reference Authority", dcm="121406")
MEASUREMENT_METHOD = _concept("Measurement Method", sct="370129005", srt="G-C036")

# Procedures (CID 100 and the values of Procedure Reported)
COMPUTED_TOMOGRAPHY = _concept("Computed Tomography X-Ray", sct="77477000", srt="P5-08000")
PROJECTION_X_RAY = _concept("Projection X-Ray", dcm="113704")
MAMMOGRAPHY = _concept("Mammography", sct="71651007", srt="P5-40010")

# Every irradiation event (TID 10003, 10013)
IRRADIATION_EVENT_UID = _concept("Irradiation Event UID", dcm="113769 113853")
IRRADIATION_EVENT_LABEL = _concept("Irradiation Event Label", dcm="113605")
ACQUISITION_PROTOCOL = _concept("Acquisition Protocol", dcm="125203")
TARGET_REGION = _concept("Target Region", dcm="123014")
DATETIME_STARTED = _concept("DateTime Started", dcm="111526")
PROCEDURE_CONTEXT = _concept("Procedure Context", sct="408730004", srt="G-C32C")
ANATOMICAL_STRUCTURE = _concept("Anatomical Structure", sct="91723000", srt="T-D0005")
LATERALITY = _concept("Laterality", sct="272741003", srt="G-C171")
IMAGE_VIEW = _concept("Image View", dcm="111031")
KVP = _concept("KVP", dcm="113733")
X_RAY_TUBE_CURRENT = _concept("X-Ray Tube Current", dcm="113734")
EXPOSURE_TIME = _concept("Exposure Time", dcm="113824 113735")

# CT (TID 10011 to 10015)
CT_ACCUMULATED_DOSE_DATA = _concept("CT Accumulated Dose Data", dcm="113811")
TOTAL_NUMBER_OF_IRRADIATION_EVENTS = _concept("Total Number of Irradiation Events", dcm="113812")
CT_DOSE_LENGTH_PRODUCT_TOTAL = _concept("CT Dose Length Product Total", dcm="113813")
CT_DOSE_LENGTH_PRODUCT_SUB_TOTAL = _concept(
    "CT Dose Length Product Sub-Total", dcm="130745", **{"99pmp": "220005"}
)  # PixelMed wrote it before the standard had a code
CT_EFFECTIVE_DOSE_TOTAL = _concept("CT Effective Dose Total", dcm="113814")
CT_ACQUISITION = _concept("CT Acquisition", dcm="113819")
CT_ACQUISITION_TYPE = _concept("CT Acquisition Type", dcm="113820")
CT_ACQUISITION_PARAMETERS = _concept("CT Acquisition Parameters", dcm="113822")
NUMBER_OF_X_RAY_SOURCES = _concept("Number of X-Ray Sources", dcm="113823")
SCANNING_LENGTH = _concept("Scanning Length", dcm="113825")
NOMINAL_SINGLE_COLLIMATION_WIDTH = _concept("Nominal Single Collimation Width", dcm="113826")
NOMINAL_TOTAL_COLLIMATION_WIDTH = _concept("Nominal Total Collimation Width", dcm="113827")
PITCH_FACTOR = _concept("Pitch Factor", dcm="113828")
LENGTH_OF_RECONSTRUCTABLE_VOLUME = _concept("Length of Reconstructable Volume", dcm="113893")
TOP_Z_OF_RECONSTRUCTABLE_VOLUME = _concept("Top Z Location of Reconstructable Volume", dcm="113895")
BOTTOM_Z_OF_RECONSTRUCTABLE_VOLUME = _concept("Bottom Z Location of Reconstructable Volume", dcm="113896")
TOP_Z_OF_SCANNING_LENGTH = _concept("Top Z Location of Scanning Length", dcm="113897")
BOTTOM_Z_OF_SCANNING_LENGTH = _concept("Bottom Z Location of Scanning Length", dcm="113898")
EXPOSED_RANGE = _concept("Exposed Range", dcm="113899")
FRAME_OF_REFERENCE_UID = _concept("Frame of Reference UID", dcm="112227")
CT_X_RAY_SOURCE_PARAMETERS = _concept("CT X-Ray Source Parameters", dcm="113831")
IDENTIFICATION_OF_THE_X_RAY_SOURCE = _concept("Identification of the X-Ray Source", dcm="113832")
MAXIMUM_X_RAY_TUBE_CURRENT = _concept("Maximum X-Ray Tube Current", dcm="113833")
EXPOSURE_TIME_PER_ROTATION = _concept("Exposure Time per Rotation", dcm="113834")
X_RAY_FILTER_ALUMINUM_EQUIVALENT = _concept("X-Ray Filter Aluminum Equivalent", dcm="113821")
CT_DOSE = _concept("CT Dose", dcm="113829")
MEAN_CTDI_VOL = _concept("Mean CTDIvol", dcm="113830")
CTDIW_PHANTOM_TYPE = _concept("CTDIw Phantom Type", dcm="113835")
CTDI_FREE_AIR_CALCULATION_FACTOR = _concept("CTDIfreeair Calculation Factor", dcm="113836")
MEAN_CTDI_FREE_AIR = _concept("Mean CTDIfreeair", dcm="113837")
DLP = _concept("DLP", dcm="113838")
EFFECTIVE_DOSE = _concept("Effective Dose", dcm="113839")
EFFECTIVE_DOSE_CONVERSION_FACTOR = _concept("Effective Dose Conversion Factor", dcm="113840")
X_RAY_MODULATION_TYPE = _concept("X-Ray Modulation Type", dcm="113842")
SIZE_SPECIFIC_DOSE_ESTIMATE = _concept("Size Specific Dose Estimate", dcm="113930")
MEASURED_LATERAL_DIMENSION = _concept("Measured Lateral Dimension", dcm="113931")
MEASURED_AP_DIMENSION = _concept("Measured AP Dimension", dcm="113932")
DERIVED_EFFECTIVE_DIAMETER = _concept("Derived Effective Diameter", dcm="113933")
WATER_EQUIVALENT_DIAMETER = _concept("Water Equivalent Diameter", dcm="113980")
DOSE_CHECK_ALERT_DETAILS = _concept("Dose Check Alert Details", dcm="113900")
DLP_ALERT_VALUE_CONFIGURED = _concept("DLP Alert Value Configured", dcm="113901")
CTDI_VOL_ALERT_VALUE_CONFIGURED = _concept("CTDIvol Alert Value Configured", dcm="113902")
DLP_ALERT_VALUE = _concept("DLP Alert Value", dcm="113903")
CTDI_VOL_ALERT_VALUE = _concept("CTDIvol Alert Value", dcm="113904")
ACCUMULATED_DLP_FORWARD_ESTIMATE = _concept("Accumulated DLP Forward Estimate", dcm="113905")
ACCUMULATED_CTDI_VOL_FORWARD_ESTIMATE = _concept("Accumulated CTDIvol Forward Estimate", dcm="113906")
REASON_FOR_PROCEEDING = _concept("Reason for Proceeding", dcm="113907")
DOSE_CHECK_NOTIFICATION_DETAILS = _concept("Dose Check Notification Details", dcm="113908")
DLP_NOTIFICATION_VALUE_CONFIGURED = _concept("DLP Notification Value Configured", dcm="113909")
CTDI_VOL_NOTIFICATION_VALUE_CONFIGURED = _concept("CTDIvol Notification Value Configured", dcm="113910")
DLP_NOTIFICATION_VALUE = _concept("DLP Notification Value", dcm="113911")
CTDI_VOL_NOTIFICATION_VALUE = _concept("CTDIvol Notification Value", dcm="113912")
DLP_FORWARD_ESTIMATE = _concept("DLP Forward Estimate", dcm="113913")
CTDI_VOL_FORWARD_ESTIMATE = _concept("CTDIvol Forward Estimate", dcm="113914")

# Values of CT Acquisition Type (CID 10013) and CTDIw Phantom Type (CID 4052)
SEQUENCED_ACQUISITION = _concept("Sequenced Acquisition", dcm="113804")
CONSTANT_ANGLE_ACQUISITION = _concept("Constant Angle Acquisition", dcm="113805")
STATIONARY_ACQUISITION_CT = _concept("Stationary Acquisition", dcm="113806")
FREE_ACQUISITION = _concept("Free Acquisition", dcm="113807")
SPIRAL_ACQUISITION = _concept("Spiral Acquisition", sct="116152004", srt="P5-08001", umls="C0860888")
IEC_HEAD_DOSIMETRY_PHANTOM = _concept("IEC Head Dosimetry Phantom", dcm="113690")
IEC_BODY_DOSIMETRY_PHANTOM = _concept("IEC Body Dosimetry Phantom", dcm="113691")
NEMA_XR21_2000_PHANTOM = _concept("NEMA XR21-2000 Phantom", dcm="113692")

# Yes and no (CID 230)
YES = _concept("Yes", sct="373066001", srt="R-0038D")
NO = _concept("No", sct="373067005", srt="R-00339")

# Projection X-ray and mammography: accumulated dose (TID 10002, 10004 to 10007)
ACCUMULATED_X_RAY_DOSE_DATA = _concept("Accumulated X-Ray Dose Data", dcm="113702")
ACQUISITION_PLANE = _concept("Acquisition Plane", dcm="113764")
DOSE_AREA_PRODUCT_TOTAL = _concept("Dose Area Product Total", dcm="113722")
DOSE_RP_TOTAL = _concept("Dose (RP) Total", dcm="113725")
FLUORO_DOSE_AREA_PRODUCT_TOTAL = _concept("Fluoro Dose Area Product Total", dcm="113726")
FLUORO_DOSE_RP_TOTAL = _concept("Fluoro Dose (RP) Total", dcm="113728")
TOTAL_FLUORO_TIME = _concept("Total Fluoro Time", dcm="113730")
ACQUISITION_DOSE_AREA_PRODUCT_TOTAL = _concept("Acquisition Dose Area Product Total", dcm="113727")
ACQUISITION_DOSE_RP_TOTAL = _concept("Acquisition Dose (RP) Total", dcm="113729")
TOTAL_ACQUISITION_TIME = _concept("Total Acquisition Time", dcm="113855")
TOTAL_NUMBER_OF_RADIOGRAPHIC_FRAMES = _concept("Total Number of Radiographic Frames", dcm="113731")
REFERENCE_POINT_DEFINITION = _concept("Reference Point Definition", dcm="113780")
DISTANCE_SOURCE_TO_REFERENCE_POINT = _concept("Distance Source to Reference Point", dcm="113737")
ACCUMULATED_AVERAGE_GLANDULAR_DOSE = _concept("Accumulated Average Glandular Dose", dcm="111637")

# Projection X-ray and mammography: one irradiation event (TID 10003)
IRRADIATION_EVENT_X_RAY_DATA = _concept("Irradiation Event X-Ray Data", dcm="113706")
IRRADIATION_EVENT_TYPE = _concept("Irradiation Event Type", dcm="113721")
ACQUIRED_IMAGE = _concept("Acquired Image", dcm="113795")
PATIENT_TABLE_RELATIONSHIP = _concept("Patient Table Relationship", dcm="113745")
PATIENT_ORIENTATION = _concept("Patient Orientation", dcm="113743")
PATIENT_ORIENTATION_MODIFIER = _concept("Patient Orientation Modifier", dcm="113744")
PROJECTION_EPONYMOUS_NAME = _concept("Projection Eponymous Name", dcm="113946")
DOSE_AREA_PRODUCT = _concept("Dose Area Product", dcm="122130")
DOSE_RP = _concept("Dose (RP)", dcm="113738")
HALF_VALUE_LAYER = _concept("Half Value Layer", dcm="111634")
ENTRANCE_EXPOSURE_AT_RP = _concept("Entrance Exposure at RP", dcm="111636")
PATIENT_EQUIVALENT_THICKNESS = _concept("Patient Equivalent Thickness", dcm="111638")

# ... its detector (TID 10003A)
EXPOSURE_INDEX = _concept("Exposure Index", dcm="113845")
TARGET_EXPOSURE_INDEX = _concept("Target Exposure Index", dcm="113846")
DEVIATION_INDEX = _concept("Deviation Index", dcm="113847")

# ... its source (TID 10003B)
AVERAGE_GLANDULAR_DOSE = _concept("Average Glandular Dose", dcm="111631")
FLUORO_MODE = _concept("Fluoro Mode", dcm="113732")
PULSE_RATE = _concept("Pulse Rate", dcm="113791")
NUMBER_OF_PULSES = _concept("Number of Pulses", dcm="113768")
PULSE_WIDTH = _concept("Pulse Width", dcm="113793")
IRRADIATION_DURATION = _concept("Irradiation Duration", dcm="113742")
AVERAGE_X_RAY_TUBE_CURRENT = _concept("Average X-Ray Tube Current", dcm="113767")
EXPOSURE = _concept("Exposure", dcm="113736")
FOCAL_SPOT_SIZE = _concept("Focal Spot Size", dcm="113766")
ANODE_TARGET_MATERIAL = _concept("Anode Target Material", dcm="111632")
X_RAY_FILTERS = _concept("X-Ray Filters", dcm="113771")
X_RAY_FILTER_TYPE = _concept("X-Ray Filter Type", dcm="113772")
X_RAY_FILTER_MATERIAL = _concept("X-Ray Filter Material", dcm="113757")
X_RAY_FILTER_THICKNESS_MINIMUM = _concept("X-Ray Filter Thickness Minimum", dcm="113758")
X_RAY_FILTER_THICKNESS_MAXIMUM = _concept("X-Ray Filter Thickness Maximum", dcm="113773")
COLLIMATED_FIELD_AREA = _concept("Collimated Field Area", dcm="113790")
COLLIMATED_FIELD_HEIGHT = _concept("Collimated Field Height", dcm="113788")
COLLIMATED_FIELD_WIDTH = _concept("Collimated Field Width", dcm="113789")
X_RAY_GRID = _concept("X-Ray Grid", dcm="111635")

# ... its mechanical data (TID 10003C)
CR_DR_MECHANICAL_CONFIGURATION = _concept("CR/DR Mechanical Configuration", dcm="113956")
POSITIONER_PRIMARY_ANGLE = _concept("Positioner Primary Angle", dcm="112011")
POSITIONER_SECONDARY_ANGLE = _concept("Positioner Secondary Angle", dcm="112012")
POSITIONER_PRIMARY_END_ANGLE = _concept("Positioner Primary End Angle", dcm="113739")
POSITIONER_SECONDARY_END_ANGLE = _concept("Positioner Secondary End Angle", dcm="113740")
COLUMN_ANGULATION = _concept("Column Angulation", dcm="113770")
TABLE_HEAD_TILT_ANGLE = _concept("Table Head Tilt Angle", dcm="113754")
TABLE_HORIZONTAL_ROTATION_ANGLE = _concept("Table Horizontal Rotation Angle", dcm="113755")
TABLE_CRADLE_TILT_ANGLE = _concept("Table Cradle Tilt Angle", dcm="113756")
TABLE_LONGITUDINAL_POSITION = _concept("Table Longitudinal Position", dcm="113751")
TABLE_LATERAL_POSITION = _concept("Table Lateral Position", dcm="113752")
TABLE_HEIGHT_POSITION = _concept("Table Height Position", dcm="113753")
TABLE_LONGITUDINAL_END_POSITION = _concept("Table Longitudinal End Position", dcm="113759")
TABLE_LATERAL_END_POSITION = _concept("Table Lateral End Position", dcm="113760")
TABLE_HEIGHT_END_POSITION = _concept("Table Height End Position", dcm="113761")
DISTANCE_SOURCE_TO_ISOCENTER = _concept("Distance Source to Isocenter", dcm="113748")
DISTANCE_SOURCE_TO_DETECTOR = _concept("Distance Source to Detector", dcm="113750")
DISTANCE_SOURCE_TO_TABLE_PLANE = _concept("Distance Source to Table Plane", dcm="113792")
COMPRESSION_THICKNESS = _concept("Compression Thickness", dcm="111633")
COMPRESSION_FORCE = _concept("Compression Force", dcm="111647")
COMPRESSION_PRESSURE = _concept("Compression Pressure", dcm="111648")
COMPRESSION_CONTACT_AREA = _concept("Compression Contact Area", dcm="111649")

# Values of Acquisition Plane (CID 10003), Irradiation Event Type (CID 10002), Laterality (CID 244, 6022)
PLANE_A = _concept("Plane A", dcm="113620")
PLANE_B = _concept("Plane B", dcm="113621")
SINGLE_PLANE = _concept("Single Plane", dcm="113622")
ALL_PLANES = _concept("All Planes", dcm="113890")
FLUOROSCOPY = _concept("Fluoroscopy", sct="44491008", srt="P5-06000")
STATIONARY_ACQUISITION = _concept("Stationary Acquisition", dcm="113611")
STEPPING_ACQUISITION = _concept("Stepping Acquisition", dcm="113612")
ROTATIONAL_ACQUISITION = _concept("Rotational Acquisition", dcm="113613")
CONTINUOUS = _concept("Continuous", dcm="113630")
PULSED = _concept("Pulsed", dcm="113631")
RIGHT = _concept("Right", sct="24028007", srt="G-A100")
LEFT = _concept("Left", sct="7771000", srt="G-A101")
RIGHT_AND_LEFT = _concept("Right and left", sct="51440002", srt="G-A102")
RIGHT_BREAST = _concept("Right breast", sct="73056007", srt="T-04020")
LEFT_BREAST = _concept("Left breast", sct="80248007", srt="T-04030")
BOTH_BREASTS = _concept("Both breasts", sct="63762007", srt="T-04080")

# Siemens' report of totals, scheme 99SMS_RADSUM, in the Enhanced SR class (mobile C-arms)
SIEMENS_SUMMARY = _concept("Radiation Summary Report", **{"99sms_radsum": "C-10"})
SIEMENS_EXPOSURES = _concept("Total number of exposures", **{"99sms_radsum": "C-200"})
SIEMENS_FLUORO_TIME = _concept("Cumulative fluoro time", **{"99sms_radsum": "C-202"})
SIEMENS_DOSE_AREA_PRODUCT = _concept("Cumulative dose area product", **{"99sms_radsum": "C-204"})
SIEMENS_START = _concept("Start of the examination", **{"99sms_radsum": "C-206"})
SIEMENS_END = _concept("End of the examination", **{"99sms_radsum": "C-208"})
SIEMENS_AIR_KERMA = _concept("Cumulative air kerma", **{"99sms_radsum": "C-210"})

# Nuclear medicine: administration (TID 10022), organ doses (TID 10023), patient (TID 10024)
RADIOPHARMACEUTICAL_ADMINISTRATION = _concept("Radiopharmaceutical Administration", dcm="113502")
ADMINISTRATION_EVENT_UID = _concept("Radiopharmaceutical Administration Event UID", dcm="113503")
RADIOPHARMACEUTICAL_AGENT = _concept("Radiopharmaceutical agent", sct="349358000", srt="F-61FDB")
RADIONUCLIDE = _concept("Radionuclide", sct="89457008", srt="C-10072")
RADIONUCLIDE_HALF_LIFE = _concept("Radionuclide Half Life", sct="304283002", srt="R-42806")
INTRAVENOUS_EXTRAVASATION_SYMPTOMS = _concept("Intravenous Extravasation Symptoms", dcm="113505")
ESTIMATED_EXTRAVASATION_ACTIVITY = _concept("Estimated Extravasation Activity", dcm="113506")
ADMINISTERED_ACTIVITY = _concept("Administered activity", dcm="113507")
PRE_ADMINISTRATION_ACTIVITY = _concept("Pre-Administration Measured Activity", dcm="113508")
POST_ADMINISTRATION_ACTIVITY = _concept("Post-Administration Measured Activity", dcm="113509")
RADIOPHARMACEUTICAL_START = _concept("Radiopharmaceutical Start DateTime", dcm="123003")
RADIOPHARMACEUTICAL_STOP = _concept("Radiopharmaceutical Stop DateTime", dcm="123004")
RADIOPHARMACEUTICAL_VOLUME = _concept("Radiopharmaceutical Volume", dcm="123005")
ROUTE_OF_ADMINISTRATION = _concept("Route of administration", sct="410675002", srt="G-C340")
SITE_OF = _concept("Site of", sct="272737002", srt="G-C581")
BRAND_NAME = _concept("Brand Name", dcm="111529")
ORGAN_DOSE_INFORMATION = _concept("Organ Dose Information", dcm="113517")
ORGAN_DOSE = _concept("Organ Dose", dcm="113518")
FINDING_SITE = _concept("Finding Site", sct="363698007", srt="G-C0E3")
PATIENT_CHARACTERISTICS = _concept("Patient Characteristics", dcm="121118")
SUBJECT_AGE = _concept("Subject Age", dcm="121033")
SUBJECT_SEX = _concept("Subject Sex", dcm="121032")
PATIENT_HEIGHT = _concept("Patient Height", ln="8302-2")
PATIENT_WEIGHT = _concept("Patient Weight", ln="29463-7")
GLUCOSE = _concept("Glucose", ln="14749-6")
