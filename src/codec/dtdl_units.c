/* Semantic types and their units, as DTDL 2 has them built in and the QuantitativeTypes extension
 * brings them to DTDL 3. Source: Azure/opendigitaltwins-dtdl, DTDL.v2.md and
 * DTDL.quantitativeTypes.v1.md (the published names). */
#include "codec/dtdl_internal.h"

struct dtdl_unit_type {
    const char *name;
    const char *units;    /* separated by blanks */
    const char *units_v3; /* more of them in DTDL 3 */
};

enum unit_type {
    U_ACCELERATION,
    U_ANGLE,
    U_ANGULAR_ACCELERATION,
    U_ANGULAR_VELOCITY,
    U_APPARENT_ENERGY,
    U_APPARENT_POWER,
    U_AREA,
    U_CAPACITANCE,
    U_CHARGE,
    U_CURRENT,
    U_DATA_RATE,
    U_DATA_SIZE,
    U_DENSITY,
    U_ENERGY,
    U_FORCE,
    U_FREQUENCY,
    U_ILLUMINANCE,
    U_INDUCTANCE,
    U_IONIZING_RADIATION_DOSE,
    U_IRRADIANCE,
    U_LENGTH,
    U_LUMINANCE,
    U_LUMINOUS_FLUX,
    U_LUMINOUS_INTENSITY,
    U_MAGNETIC_FLUX,
    U_MAGNETIC_INDUCTION,
    U_MASS,
    U_MASS_FLOW_RATE,
    U_POWER,
    U_PRESSURE,
    U_RADIOACTIVITY,
    U_REACTIVE_ENERGY,
    U_REACTIVE_POWER,
    U_RESISTANCE,
    U_SOUND_PRESSURE,
    U_TEMPERATURE,
    U_TIME,
    U_TORQUE,
    U_UNITLESS,
    U_VELOCITY,
    U_VOLTAGE,
    U_VOLUME,
    U_VOLUME_FLOW_RATE,
};

/* clang-format off */
static const struct dtdl_unit_type unit_types[] = {
    [U_ACCELERATION] = {"AccelerationUnit", "centimetrePerSecondSquared gForce metrePerSecondSquared", ""},
    [U_ANGLE] = {"AngleUnit", "degreeOfArc minuteOfArc radian secondOfArc turn", ""},
    [U_ANGULAR_ACCELERATION] = {"AngularAccelerationUnit", "radianPerSecondSquared", ""},
    [U_ANGULAR_VELOCITY] = {"AngularVelocityUnit",
        "degreePerSecond radianPerSecond revolutionPerMinute revolutionPerSecond", ""},
    [U_APPARENT_ENERGY] = {"ApparentEnergyUnit", "",
        "gigavoltAmpereHour kilovoltAmpereHour megavoltAmpereHour voltAmpereHour"},
    [U_APPARENT_POWER] = {"ApparentPowerUnit", "",
        "gigavoltAmpere kilovoltAmpere megavoltAmpere millivoltAmpere voltAmpere"},
    [U_AREA] = {"AreaUnit",
        "acre hectare squareCentimetre squareFoot squareInch squareKilometre squareMetre "
        "squareMillimetre", ""},
    [U_CAPACITANCE] = {"CapacitanceUnit", "farad microfarad millifarad nanofarad picofarad", ""},
    [U_CHARGE] = {"ChargeUnit", "coulomb", "ampereHour milliampereHour"},
    [U_CURRENT] = {"CurrentUnit", "ampere microampere milliampere", "kiloampere"},
    [U_DATA_RATE] = {"DataRateUnit",
        "bitPerSecond bytePerSecond exbibitPerSecond exbibytePerSecond gibibitPerSecond "
        "gibibytePerSecond kibibitPerSecond kibibytePerSecond mebibitPerSecond mebibytePerSecond "
        "tebibitPerSecond tebibytePerSecond yobibitPerSecond yobibytePerSecond zebibitPerSecond "
        "zebibytePerSecond", ""},
    [U_DATA_SIZE] = {"DataSizeUnit",
        "bit byte exbibit exbibyte gibibit gibibyte kibibit kibibyte mebibit mebibyte tebibit "
        "tebibyte yobibit yobibyte zebibit zebibyte", ""},
    [U_DENSITY] = {"DensityUnit", "gramPerCubicMetre kilogramPerCubicMetre",
        "microgramPerCubicMetre milligramPerCubicMetre"},
    [U_ENERGY] = {"EnergyUnit",
        "electronvolt gigajoule joule kilojoule kilowattHour megaelectronvolt megajoule",
        "britishThermalUnit gigawattHour kiloBritishThermalUnit megawattHour milliwattHour "
        "terawattHour wattHour"},
    [U_FORCE] = {"ForceUnit", "newton ounce pound ton", ""},
    [U_FREQUENCY] = {"FrequencyUnit", "gigahertz hertz kilohertz megahertz", "millihertz"},
    [U_ILLUMINANCE] = {"IlluminanceUnit", "footcandle lux", ""},
    [U_INDUCTANCE] = {"InductanceUnit", "henry microhenry millihenry", ""},
    [U_IONIZING_RADIATION_DOSE] = {"IonizingRadiationDoseUnit", "",
        "gray microgray microsievert milligray millisievert sievert"},
    [U_IRRADIANCE] = {"IrradianceUnit", "", "wattPerSquareMetre"},
    [U_LENGTH] = {"LengthUnit",
        "astronomicalUnit centimetre foot inch kilometre metre micrometre mile millimetre "
        "nanometre nauticalMile", ""},
    [U_LUMINANCE] = {"LuminanceUnit", "candelaPerSquareMetre", ""},
    [U_LUMINOUS_FLUX] = {"LuminousFluxUnit", "lumen", ""},
    [U_LUMINOUS_INTENSITY] = {"LuminousIntensityUnit", "candela", ""},
    [U_MAGNETIC_FLUX] = {"MagneticFluxUnit", "maxwell weber", ""},
    [U_MAGNETIC_INDUCTION] = {"MagneticInductionUnit", "tesla", "gauss"},
    [U_MASS] = {"MassUnit", "gram kilogram microgram milligram slug tonne", "massPound"},
    [U_MASS_FLOW_RATE] = {"MassFlowRateUnit",
        "gramPerHour gramPerSecond kilogramPerHour kilogramPerSecond", "massPoundPerHour"},
    [U_POWER] = {"PowerUnit",
        "gigawatt horsepower kilowatt kilowattHourPerYear megawatt microwatt milliwatt watt",
        "britishThermalUnitPerHour gigajoulePerHour joulePerHour joulePerSecond "
        "kiloBritishThermalUnitPerHour kilojoulePerHour kilojoulePerSecond megajoulePerHour "
        "tonOfRefrigeration"},
    [U_PRESSURE] = {"PressureUnit",
        "bar inchesOfMercury inchesOfWater kilopascal millibar millimetresOfMercury pascal "
        "poundPerSquareInch", "decapascal hectopascal"},
    [U_RADIOACTIVITY] = {"RadioactivityUnit", "",
        "becquerel gigabecquerel kilobecquerel megabecquerel"},
    [U_REACTIVE_ENERGY] = {"ReactiveEnergyUnit", "",
        "gigavoltAmpereReactiveHour kilovoltAmpereReactiveHour megavoltAmpereReactiveHour "
        "voltAmpereReactiveHour"},
    [U_REACTIVE_POWER] = {"ReactivePowerUnit", "",
        "gigavoltAmpereReactive kilovoltAmpereReactive megavoltAmpereReactive "
        "millivoltAmpereReactive voltAmpereReactive"},
    [U_RESISTANCE] = {"ResistanceUnit", "kiloohm megaohm milliohm ohm", ""},
    [U_SOUND_PRESSURE] = {"SoundPressureUnit", "bel decibel", ""},
    [U_TEMPERATURE] = {"TemperatureUnit", "degreeCelsius degreeFahrenheit kelvin", ""},
    [U_TIME] = {"TimeUnit",
        "day hour microsecond millisecond minute nanosecond second year", ""},
    [U_TORQUE] = {"TorqueUnit", "newtonMetre", ""},
    [U_UNITLESS] = {"Unitless", "percent unity",
        "partsPerBillion partsPerMillion partsPerQuadrillion partsPerTrillion"},
    [U_VELOCITY] = {"VelocityUnit",
        "centimetrePerSecond kilometrePerHour kilometrePerSecond knot metrePerHour metrePerSecond "
        "milePerHour milePerSecond", ""},
    [U_VOLTAGE] = {"VoltageUnit", "kilovolt megavolt microvolt millivolt volt", ""},
    [U_VOLUME] = {"VolumeUnit",
        "cubicCentimetre cubicFoot cubicInch cubicMetre fluidOunce gallon litre millilitre", ""},
    [U_VOLUME_FLOW_RATE] = {"VolumeFlowRateUnit",
        "litrePerHour litrePerSecond millilitrePerHour millilitrePerSecond",
        "cubicFootPerMinute cubicMetrePerHour cubicMetrePerMinute cubicMetrePerSecond "
        "gallonPerHour gallonPerMinute litrePerMinute millilitrePerMinute"},
};

static const struct dtdl_semantic semantics[] = {
    {"Acceleration", DTDL_V2, &unit_types[U_ACCELERATION]},
    {"Angle", DTDL_V2, &unit_types[U_ANGLE]},
    {"AngularAcceleration", DTDL_V2, &unit_types[U_ANGULAR_ACCELERATION]},
    {"AngularVelocity", DTDL_V2, &unit_types[U_ANGULAR_VELOCITY]},
    {"ApparentEnergy", DTDL_V3, &unit_types[U_APPARENT_ENERGY]},
    {"ApparentPower", DTDL_V3, &unit_types[U_APPARENT_POWER]},
    {"Area", DTDL_V2, &unit_types[U_AREA]},
    {"Capacitance", DTDL_V2, &unit_types[U_CAPACITANCE]},
    {"Concentration", DTDL_V3, &unit_types[U_UNITLESS]},
    {"Current", DTDL_V2, &unit_types[U_CURRENT]},
    {"DataRate", DTDL_V2, &unit_types[U_DATA_RATE]},
    {"DataSize", DTDL_V2, &unit_types[U_DATA_SIZE]},
    {"Density", DTDL_V2, &unit_types[U_DENSITY]},
    {"Distance", DTDL_V2, &unit_types[U_LENGTH]},
    {"ElectricCharge", DTDL_V2, &unit_types[U_CHARGE]},
    {"Energy", DTDL_V2, &unit_types[U_ENERGY]},
    {"EnergyRate", DTDL_V3, &unit_types[U_POWER]},
    {"Force", DTDL_V2, &unit_types[U_FORCE]},
    {"Frequency", DTDL_V2, &unit_types[U_FREQUENCY]},
    {"Humidity", DTDL_V2, &unit_types[U_DENSITY]},
    {"Illuminance", DTDL_V2, &unit_types[U_ILLUMINANCE]},
    {"Inductance", DTDL_V2, &unit_types[U_INDUCTANCE]},
    {"IonizingRadiationDose", DTDL_V3, &unit_types[U_IONIZING_RADIATION_DOSE]},
    {"Irradiance", DTDL_V3, &unit_types[U_IRRADIANCE]},
    {"Latitude", DTDL_V2, &unit_types[U_ANGLE]},
    {"Length", DTDL_V2, &unit_types[U_LENGTH]},
    {"Longitude", DTDL_V2, &unit_types[U_ANGLE]},
    {"Luminance", DTDL_V2, &unit_types[U_LUMINANCE]},
    {"Luminosity", DTDL_V2, &unit_types[U_POWER]},
    {"LuminousFlux", DTDL_V2, &unit_types[U_LUMINOUS_FLUX]},
    {"LuminousIntensity", DTDL_V2, &unit_types[U_LUMINOUS_INTENSITY]},
    {"MagneticFlux", DTDL_V2, &unit_types[U_MAGNETIC_FLUX]},
    {"MagneticInduction", DTDL_V2, &unit_types[U_MAGNETIC_INDUCTION]},
    {"Mass", DTDL_V2, &unit_types[U_MASS]},
    {"MassFlowRate", DTDL_V2, &unit_types[U_MASS_FLOW_RATE]},
    {"Power", DTDL_V2, &unit_types[U_POWER]},
    {"Pressure", DTDL_V2, &unit_types[U_PRESSURE]},
    {"Radioactivity", DTDL_V3, &unit_types[U_RADIOACTIVITY]},
    {"ReactiveEnergy", DTDL_V3, &unit_types[U_REACTIVE_ENERGY]},
    {"ReactivePower", DTDL_V3, &unit_types[U_REACTIVE_POWER]},
    {"RelativeDensity", DTDL_V3, &unit_types[U_UNITLESS]},
    {"RelativeHumidity", DTDL_V2, &unit_types[U_UNITLESS]},
    {"Resistance", DTDL_V2, &unit_types[U_RESISTANCE]},
    {"SoundPressure", DTDL_V2, &unit_types[U_SOUND_PRESSURE]},
    {"Temperature", DTDL_V2, &unit_types[U_TEMPERATURE]},
    {"Thrust", DTDL_V2, &unit_types[U_FORCE]},
    {"TimeSpan", DTDL_V2, &unit_types[U_TIME]},
    {"Torque", DTDL_V2, &unit_types[U_TORQUE]},
    {"Velocity", DTDL_V2, &unit_types[U_VELOCITY]},
    {"Voltage", DTDL_V2, &unit_types[U_VOLTAGE]},
    {"Volume", DTDL_V2, &unit_types[U_VOLUME]},
    {"VolumeFlowRate", DTDL_V2, &unit_types[U_VOLUME_FLOW_RATE]},
};
/* clang-format on */

const struct dtdl_semantic *dtdl_semantic_find(slice name, enum dtdl_version version)
{
    for (size_t i = 0; i < COUNT_OF(semantics); i++) {
        if (semantics[i].since <= version && slice_equal(slice_str(semantics[i].name), name))
            return &semantics[i];
    }
    return NULL;
}

const struct dtdl_semantic *dtdl_semantic_at(size_t index)
{
    return index < COUNT_OF(semantics) ? &semantics[index] : NULL;
}

bool dtdl_semantic_has_unit(const struct dtdl_semantic *semantic, slice unit,
                            enum dtdl_version version)
{
    return dtdl_has_word(semantic->units->units, unit) ||
           (version >= DTDL_V3 && dtdl_has_word(semantic->units->units_v3, unit));
}

slice dtdl_semantic_units(const struct dtdl_semantic *semantic, enum dtdl_version since)
{
    return slice_str(since >= DTDL_V3 ? semantic->units->units_v3 : semantic->units->units);
}
